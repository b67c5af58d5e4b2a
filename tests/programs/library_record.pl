% library(record): a store of terms.
%
% By hand: b is recorded before a, and erased items are gone.
%
% Expected outcome:
% all([b, a]) : 1
% key(k) : 1
% left([x]) : 1
% value(y) : 1
% Declined: findall/3 is not spoken by the tabled engine

:- use_module(library(record)).
:- recordz(k, a).
:- recorda(k, b).
all(L) :- findall(X, recorded(k, X), L).
key(X) :- current_key(X), X = k.
left(L) :- recordz(m, x), recorda(m, z, R), erase(R), findall(X, recorded(m, X), L).
value(X) :- recorda(n, y, R), instance(R, X).
query(all(_)).
query(key(_)).
query(left(_)).
query(value(_)).
