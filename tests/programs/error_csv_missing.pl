% A CSV file that does not exist.
%
% Expected error: ProgramFileError
% at 9:4
% says there is no CSV file 'tables/nowhere.csv'
% Allow python

:- use_module(library(db)).
:- csv_load('tables/nowhere.csv', p).
query(p(_)).
