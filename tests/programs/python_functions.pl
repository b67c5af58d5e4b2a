% Predicates that a Python file decides.
%
% By hand: 2 * 3 where n holds; 6 has four divisors.
%
% Allow python
% Expected outcome:
% d(6) : 0.5
% n(3) : 0.5
% f(1) : 1
% f(2) : 1
% f(3) : 1
% f(6) : 1
% Declined: twice/2 is decided by Python

:- use_module('python/numbers.py').
0.5::n(3).
d(Y) :- n(X), twice(X, Y).
f(D) :- divisor(6, D).
query(d(_)).
query(n(_)).
query(f(_)).
