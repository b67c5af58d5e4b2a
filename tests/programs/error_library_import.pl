% A name that a library does not export.
%
% Expected error: GroundingError
% at 7:4
% says imported predicate nope/3 not defined in module lists

:- use_module(library(lists), [nope/3]).
query(a).
a.
