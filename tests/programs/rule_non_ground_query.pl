% Queries with variables: all instances; one variable twice: only those where both are equal.
%
% By hand: the diagonal is e(1,1) alone.
%
% Expected outcome:
% e(1,1) : 0.1
% e(1,2) : 0.2
% d(1,1) : 0.1

0.1::e(1, 1).
0.2::e(1, 2).
d(X, Y) :- e(X, Y).
query(e(_, _)).
query(d(X, X)).
