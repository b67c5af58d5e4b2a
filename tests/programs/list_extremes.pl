% Sums and extremes.
%
% By hand: of 1, 3, 2, and of a, c, b in the standard order.
%
% Expected outcome:
% a(6) : 1
% b(3) : 1
% c(1) : 1
% d(c) : 1
% e(a) : 1
% ProbLog differs: its min_member/2 gives the largest

a(X) :- sum_list([1, 3, 2], X).
b(X) :- max_list([1, 3, 2], X).
c(X) :- min_list([1, 3, 2], X).
d(X) :- max_member([a, c, b], X).
e(X) :- min_member([a, c, b], X).
query(a(_)).
query(b(_)).
query(c(_)).
query(d(_)).
query(e(_)).
