% Declarations of predicates, with parentheses and without, one and several.
%
% By hand: 0.4 and, for a predicate without clauses, 0.
%
% Expected outcome:
% q : 0.4
% none : 0
% ProbLog differs: it has no declarations

:- dynamic(edge/2).
:- dynamic none/0, never/1.
:- discontiguous q/0.
0.4::edge(a, b).
q :- edge(a, b), \+ never(a).
query(q).
query(none).
