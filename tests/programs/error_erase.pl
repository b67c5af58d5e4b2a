% A library's predicate on what it does not take.
%
% Expected error: GroundingError
% at 8:6
% says erase/1 fails on these arguments

:- use_module(library(record)).
a :- erase(nothing).
query(a).
