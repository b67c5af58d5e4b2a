% member/2 needs no import here.
%
% By hand: those of the list whose fact holds.
%
% Expected outcome:
% q(1) : 0.5
% q(3) : 0.5
% ProbLog differs: it wants use_module(library(lists))

0.5::p(1).
0.5::p(3).
0.5::p(4).
q(X) :- member(X, [1, 2, 3]), p(X).
query(q(_)).
