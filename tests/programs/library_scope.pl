% library(scope): facts and goals in a scope.
%
% By hand: both in scope one.
%
% Expected outcome:
% q : 0.15
% Declined: p, r as an argument is not spoken by the tabled engine

:- use_module(library(scope)).
0.3::one:p.
0.5::one:r.
q :- one:(p, r).
query(q).
