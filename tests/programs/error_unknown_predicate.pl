% A misspelt goal, in a file that is consulted.
%
% Expected error: UnknownPredicateError
% at consulted/unknown.pl:3:20
% says no clauses for nowhere/1

:- consult('consulted/unknown.pl').
query(broken(1)).
