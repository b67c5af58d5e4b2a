% library(string): sub_string/5, with the texts before and after.
%
% By hand: b stands in abc once, behind a and before c.
%
% Expected outcome:
% around(a,c) : 1
% middle(b) : 1
% ProbLog differs: its sub_string/5 calls a predicate that is not there
% Declined: _string_str2lst/2 is decided by Python

:- use_module(library(string)).
around(B, A) :- sub_string(abc, B, 1, A, b).
middle(M) :- sub_string(abc, a, _, c, M).
query(around(_, _)).
query(middle(_)).
