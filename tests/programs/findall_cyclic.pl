% Answers that lie on a cycle are listed once, however many ways round there are.
%
% By hand: without the edge 1-2 (0.7) nothing is reached; with it alone (0.3 * 0.7) node 2; with both (0.09) nodes 2
% and 1.
%
% Expected outcome:
% q([]) : 0.7
% q([2]) : 0.21
% q([2, 1]) : 0.09
% ProbLog differs: it lists answers on cycles several times
% Declined: findall/3 is not spoken by the tabled engine

0.3::e(1, 2).
0.3::e(2, 1).
p(X, Y) :- e(X, Y).
p(X, Y) :- e(X, Z), p(Z, Y).
q(L) :- findall(Y, p(1, Y), L).
query(q(_)).
