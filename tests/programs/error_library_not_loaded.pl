% A predicate of a library that the program does not load.
%
% Expected error: UnknownPredicateError
% at 7:6
% says assertz/1 is a predicate of library(assert): ':- use_module(library(assert)).'

q :- assertz(p).
query(q).
