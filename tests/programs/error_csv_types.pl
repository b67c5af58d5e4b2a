% A CSV file with a text in a column of numbers.
%
% Expected error: ProgramFileError
% at 9:4
% says line 3 of the CSV file 'tables/types.csv': 'x' in column a is no integer
% Allow python

:- use_module(library(db)).
:- csv_load('tables/types.csv', p).
query(p(_, _)).
