% Imports by name, under another name, and all but some.
%
% By hand: the items of [1,2] by two names.
%
% Expected outcome:
% a(1) : 1
% a(2) : 1
% b([2, 1]) : 1

:- use_module(library(lists), [member/2 as in, reverse/2]).
a(X) :- in(X, [1, 2]).
b(L) :- reverse([1, 2], L).
query(a(_)).
query(b(_)).
