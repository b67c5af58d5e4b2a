% all/3 of a recursive predicate over a cyclic graph.
%
% By hand: 2 alone 0.3 * 0.7, both 0.09.
%
% Expected outcome:
% q([2]) : 0.21
% q([2, 1]) : 0.09
% Declined: all/3 is not spoken by the tabled engine

0.3::e(1, 2).
0.3::e(2, 1).
p(X, Y) :- e(X, Y).
p(X, Y) :- p(X, Z), e(Z, Y).
q(L) :- all(Y, p(1, Y), L).
query(q(_)).
