% Clauses that a directive adds.
%
% By hand: b(1) follows from the two clauses that were added.
%
% Expected outcome:
% a(1) : 1
% b(1) : 1
% c(2) : 0.5

:- use_module(library(assert)).
:- assertz(a(1)).
:- assertz((b(X) :- a(X))).
:- assertz((0.5::c(2))).
query(a(_)).
query(b(_)).
query(c(_)).
