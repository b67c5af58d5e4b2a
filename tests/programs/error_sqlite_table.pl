% A table that the data base does not have.
%
% Expected error: UnknownPredicateError
% at 10:7
% says no clauses for nobody/1
% Allow python

:- use_module(library(db)).
:- sqlite_load('tables/people.sqlite').
query(nobody(_)).
