% library(collect): CodeBlock => list(...).
%
% By hand: one of them, or both 0.15; where none holds there is no group, and so no list.
%
% Expected outcome:
% q([1]) : 0.35
% q([2]) : 0.15
% q([1, 2]) : 0.15
% Declined: concat/2 is decided by Python

:- use_module(library(collect)).
0.5::p(1).
0.3::p(2).
q(L) :- p(X) => list(X, L).
query(q(_)).
