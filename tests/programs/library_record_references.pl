% References of recorded terms, terms under any key, and what is left after an erasure.
%
% By hand: c is erased by the reference that recordz/3 gave; an unbound key is each key in turn.
%
% Expected outcome:
% left([a, b]) : 1
% keys([k, m]) : 1
% any([k-a, k-b, m-d]) : 1
% same : 0.5
% ProbLog differs: its recordz/3 gives a reference that erase/1 does not take, and an unbound key has no records
% Declined: recordz/3 is decided by Python

:- use_module(library(record)).
:- recordz(k, a).
:- recordz(k, b).
:- recordz(m, d).
0.5::p.
left(L) :- recordz(k, c, R), erase(R), findall(X, recorded(k, X), L).
keys(L) :- findall(K, current_key(K), L).
any(L) :- findall(K-X, recorded(K, X), L).
same :- p, recorded(k, a, R), instance(R, X), X = a.
query(left(_)).
query(keys(_)).
query(any(_)).
query(same).
