% Facts of another file.
%
% By hand: 1 - 0.7 * 0.6 = 0.58.
%
% Expected outcome:
% p(1) : 0.3
% p(2) : 0.4
% some : 0.58

:- consult('consulted/facts.pl').
some :- p(_).
query(p(_)).
query(some).
