% A library's name without library(...).
%
% Expected error: ProgramFileError
% at 7:4
% says did you mean library(lists)?

:- use_module(lists).
query(a).
a.
