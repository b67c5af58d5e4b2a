% dynamic/1 makes a predicate known that may have no clauses; table/1 and discontiguous/1 say nothing new.
%
% By hand: p and r have no clauses; s has one.
%
% Expected outcome:
% q : 1
% s(1) : 0.5
% ProbLog differs: it has no dynamic/1 and table/1

:- dynamic p/1, r/2.
:- dynamic([t/1, u/0]).
:- table s/1.
:- discontiguous s/1.
q :- \+ p(1), \+ r(1, 2), \+ t(1), \+ u.
0.5::s(1).
query(q).
query(s(_)).
