% A CSV file as a predicate: one argument a column.
%
% By hand: ann and bob are over 20; each may come with 0.5.
%
% Allow python
% Expected outcome:
% person(ann,30,1.7) : 1
% person(bob,25,1.8) : 1
% person('d\'arc',19,1.6) : 1
% comes(ann) : 0.5
% comes(bob) : 0.5
% ProbLog differs: it cannot read texts with an apostrophe
% Declined: person/3 is decided by Python

:- use_module(library(db)).
:- csv_load('tables/people.csv', person).
0.5::comes(N) :- person(N, A, _), A > 20.
query(person(_, _, _)).
query(comes(_)).
