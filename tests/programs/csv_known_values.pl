% Known arguments select rows.
%
% By hand: one row has the name bob, and one has 1.6.
%
% Allow python
% Expected outcome:
% age(25) : 1
% small('d\'arc') : 1
% nobody : 1
% ProbLog differs: it cannot read texts with an apostrophe
% Declined: person/3 is decided by Python

:- use_module(library(db)).
:- csv_load('tables/people.csv', person).
age(A) :- person(bob, A, _).
small(N) :- person(N, _, 1.6).
nobody :- \+ person(carl, _, _).
query(age(_)).
query(small(_)).
query(nobody).
