% nth0, nth1, nextto and length.
%
% By hand: b is item 1 from 0 and 2 from 1.
%
% Expected outcome:
% a(b) : 1
% b(b) : 1
% c(a,[b]) : 1
% d(b) : 1
% e(3) : 1
% f([1, 2]) : 1

:- use_module(library(lists)).
a(X) :- nth0(1, [a, b], X).
b(X) :- nth1(2, [a, b], X).
c(X, R) :- nth0(0, [a, b], X, R).
d(X) :- nextto(X, c, [a, b, c]).
e(N) :- length([a, b, c], N), proper_length([a, b, c], N), same_length([a, b, c], [1, 2, 3]).
f(L) :- numlist(1, 2, L).
query(a(_)).
query(b(_)).
query(c(_, _)).
query(d(_)).
query(e(_)).
query(f(_)).
