% Lists as sets.
%
% By hand: {1,2} and {2,3}.
%
% Expected outcome:
% a([1, 2, 3]) : 1
% b([2]) : 1
% c([1]) : 1
% d : 1
% e([b, a]) : 1
% f : 1
% g : 0

:- use_module(library(lists)).
a(L) :- union([1, 2], [2, 3], L).
b(L) :- intersection([1, 2], [2, 3], L).
c(L) :- subtract([1, 2], [2, 3], L).
d :- subset([1], [1, 2]).
e(L) :- list_to_set([b, a, b], L).
f :- is_set([1, 2]).
g :- is_set([1, 1]).
query(a(_)).
query(b(_)).
query(c(_)).
query(d).
query(e(_)).
query(f).
query(g).
