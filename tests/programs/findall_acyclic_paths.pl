% Two paths to one node are two answers where the graph has no cycle.
%
% By hand: only the edge 3-4 is uncertain: with it 4 is reached twice.
%
% Expected outcome:
% q([2, 3, 4]) : 0.5
% q([2, 3, 4, 4]) : 0.5
% Declined: findall/3 is not spoken by the tabled engine

e(1, 2).
e(1, 3).
e(2, 4).
0.5::e(3, 4).
p(X, Y) :- e(X, Y).
p(X, Y) :- e(X, Z), p(Z, Y).
q(L) :- findall(Y, p(1, Y), L).
query(q(_)).
