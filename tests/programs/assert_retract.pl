% retract/1 takes out the first clause that unifies, retractall/1 all of them.
%
% By hand: of a(1), a(2) the first goes; of b only b(2,y) stays.
%
% Expected outcome:
% a(2) : 1
% b(2,y) : 1
% none : 1
% ProbLog differs: its retractall/1 fails for predicates without clauses

:- use_module(library(assert)).
a(1).
a(2).
b(1, x).
b(2, y).
b(1, z).
:- retract(a(_)).
:- retractall(b(1, _)).
:- retractall(c(_)).
none :- \+ c(1).
query(a(_)).
query(b(_, _)).
query(none).
