% A learnable fact beside a consulted file.
%
% By hand: q = 0.5 * (1 - 0.7 * 0.6) = 0.29; by a: 0.58.
%
% Expected outcome:
% q : 0.29
% Expected gradient:
% d q / d a : 0.58

:- consult('consulted/facts.pl').
t(0.5)::a.
q :- a, p(_).
query(q).
