% A file that is no data base.
%
% Expected error: ProgramFileError
% at 9:4
% says cannot read the data base 'tables/broken.sqlite': file is not a database
% Allow python

:- use_module(library(db)).
:- sqlite_load('tables/broken.sqlite').
query(a).
a.
