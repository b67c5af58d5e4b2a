% A CSV file without a first row.
%
% Expected error: ProgramFileError
% at 9:4
% says is empty; its first row names the columns
% Allow python

:- use_module(library(db)).
:- csv_load('tables/empty.csv', p).
query(p(_)).
