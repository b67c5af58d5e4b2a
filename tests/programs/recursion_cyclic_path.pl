% Paths in a cyclic graph: the least fixpoint.
%
% By hand: 1 to 2 needs the first edge alone: 0.3; 1 to 1 both: 0.09.
%
% Expected outcome:
% p(1,1) : 0.09
% p(1,2) : 0.3

0.3::e(1, 2).
0.3::e(2, 1).
p(X, Y) :- e(X, Y).
p(X, Y) :- e(X, Z), p(Z, Y).
query(p(1, _)).
