% Tables of an SQLite data base as predicates; NULL is the atom null.
%
% By hand: ann's age is known, bob's is not.
%
% Allow python
% Expected outcome:
% person(ann,30) : 1
% person(bob,null) : 1
% order(1,2.5) : 1
% ageless(bob) : 0.5
% ProbLog differs: it cannot read tables with such names
% Declined: person/2 is decided by Python

:- use_module(library(db)).
:- sqlite_load('tables/people.sqlite').
0.5::forgot(N) :- person(N, null).
ageless(N) :- person(N, null), forgot(N).
query(person(_, _)).
query(order(_, _)).
query(ageless(_)).
