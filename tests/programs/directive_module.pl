% A program may be a module, all of which may be asked.
%
% By hand: 0.3; 0.3 * 0.5.
%
% Expected outcome:
% a : 0.3
% b : 0.15
% ProbLog differs: it asks no module

:- module(weather, [a/0]).
0.3::a.
0.5::b :- a.
query(a).
query(b).
