% flatten/2 and enum_groups/3,4.
%
% By hand: 1 and 3 belong to x.
%
% Expected outcome:
% a([1, 2, 3]) : 1
% b(x,[1, 3]) : 1
% b(y,[2]) : 1
% c(x,[1, 3]) : 1
% c(y,[2]) : 1
% Declined: enum_groups/3 is decided by Python

:- use_module(library(lists)).
a(L) :- flatten([1, [2, [3]]], L).
b(G, L) :- enum_groups([(x, 1), (y, 2), (x, 3)], G, L).
c(G, L) :- enum_groups([x, y, x], [1, 2, 3], G, L).
query(a(_)).
query(b(_, _)).
query(c(_, _)).
