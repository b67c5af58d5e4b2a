% A data base that does not exist.
%
% Expected error: ProgramFileError
% at 9:4
% says there is no data base 'tables/nowhere.sqlite'
% Allow python

:- use_module(library(db)).
:- sqlite_load('tables/nowhere.sqlite').
query(a).
a.
