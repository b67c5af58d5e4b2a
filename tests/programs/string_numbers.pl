% Texts as numbers: str2int/2 and atom_number/2.
%
% By hand: 12 + 30.
%
% Expected outcome:
% sum(42) : 1
% no_number : 1
% Declined: str2int/2 is decided by Python

:- use_module(library(string)).
text("12").
sum(S) :- text(T), str2int(T, N), S is N + 30.
no_number :- \+ atom_number(abc, _).
query(sum(_)).
query(no_number).
