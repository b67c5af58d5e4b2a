% A cyclic graph without probabilities has one list.
%
% By hand: 1 reaches 2, and 1 again.
%
% Expected outcome:
% q([2, 1]) : 1
% ProbLog differs: it lists answers on cycles several times
% Declined: findall/3 is not spoken by the tabled engine

e(1, 2).
e(2, 1).
p(X, Y) :- e(X, Y).
p(X, Y) :- e(X, Z), p(Z, Y).
q(L) :- findall(Y, p(1, Y), L).
query(q(_)).
