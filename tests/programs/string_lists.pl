% library(string): texts as lists of characters.
%
% By hand: abc has three, cba read backwards.
%
% Expected outcome:
% chars([a, b, c]) : 1
% length(3) : 1
% back(cba) : 1
% ProbLog differs: it does not see lists that another library has loaded
% Declined: str2lst/2 is decided by Python

:- use_module(library(string)).
:- use_module(library(lists)).
chars(L) :- str2lst(abc, L).
length(N) :- str2lst(abc, L), length(L, N).
back(B) :- str2lst(abc, L), reverse(L, M), lst2str(M, B).
query(chars(_)).
query(length(_)).
query(back(_)).
