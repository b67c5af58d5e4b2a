% A learnable edge in a cyclic graph.
%
% By hand: p(1,1) needs both edges: 0.3 * 0.4; by the first: 0.4. p(1,2) is the first alone.
%
% Expected outcome:
% p(1,1) : 0.12
% p(1,2) : 0.3
% Expected gradient:
% d p(1,1) / d e(1,2) : 0.4
% d p(1,2) / d e(1,2) : 1
% d p(1,2) / d e(2,1) : 0

t(0.3)::e(1,2).
t(0.4)::e(2,1).
p(X, Y) :- e(X, Y).
p(X, Y) :- e(X, Z), p(Z, Y).
query(p(1, _)).
