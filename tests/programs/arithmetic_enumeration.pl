% between/3, succ/2 and plus/3, forwards and backwards.
%
% By hand: 2 + 3 = 5 in every direction; even(X) holds for 2 and 4 with 0.5 each.
%
% Expected outcome:
% even(2) : 0.5
% even(4) : 0.5
% a(3) : 1
% b(2) : 1
% c(5) : 1
% d(3) : 1

0.5::even(X) :- between(1, 5, X), 0 is X mod 2.
a(X) :- succ(2, X).
b(X) :- succ(X, 3).
c(X) :- plus(2, 3, X).
d(X) :- plus(2, X, 5).
query(even(_)).
query(a(_)).
query(b(_)).
query(c(_)).
query(d(_)).
