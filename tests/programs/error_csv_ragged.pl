% A CSV file with a row that is too short.
%
% Expected error: ProgramFileError
% at 9:4
% says line 3 of the CSV file 'tables/ragged.csv' has 1 values
% Allow python

:- use_module(library(db)).
:- csv_load('tables/ragged.csv', p).
query(p(_, _)).
