% A file that consults another one, relative to itself; files that are consulted twice count once.
%
% By hand: 1 - 0.7 * 0.6 = 0.58.
%
% Expected outcome:
% some : 0.58

:- consult('consulted/rules').
:- consult('consulted/facts.pl').
query(some).
