% Clauses that are added while answers are collected, probabilistic ones among them.
%
% By hand: the two facts that are added are choices of their own; e(1) is one more.
%
% Expected outcome:
% q([1, 2]) : 0.15
% q([1]) : 0.35
% q([2]) : 0.15
% q([]) : 0.35
% r : 0.25
% s([3]) : 1
% ProbLog differs: the clauses of findall/3 and the new ones get the same numbers
% Declined: assertz/1 is decided by Python

:- use_module(library(assert)).
0.5::e(1).
q(L) :- assertz((0.5::f(1))), assertz((0.3::f(2))), findall(X, f(X), L).
r :- e(1), assertz((0.5::g(1))), g(1).
s(L) :- findall(X, (assertz(h(3)), h(X)), L).
query(q(_)).
query(r).
query(s(_)).
