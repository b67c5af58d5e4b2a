% Clauses that a query adds are there for what follows, and gone in the next call.
%
% By hand: a(2) stays after a(1) is taken out again.
%
% Expected outcome:
% q(2) : 1
% Declined: assertz/1 is decided by Python

:- use_module(library(assert)).
q(X) :- assertz(a(1)), assertz(a(2)), retract(a(1)), a(X).
query(q(_)).
