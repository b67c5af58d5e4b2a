% A library that does not exist; the message lists those that do.
%
% Expected error: ProgramFileError
% at 8:4
% says there is no library(nonexistent); ProbLog has: aggregate, apply,
% says string

:- use_module(library(nonexistent)).
query(a).
a.
