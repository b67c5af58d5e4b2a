% library(string): concat/2 and join/3, over a choice.
%
% By hand: the texts of both values.
%
% Expected outcome:
% word(abc) : 0.3
% word(abd) : 0.7
% dashed('a-b-1') : 1
% Declined: concat/2 is decided by Python

:- use_module(library(string)).
0.3::last(c); 0.7::last(d).
word(W) :- last(X), concat([a, b, X], W).
dashed(W) :- join('-', [a, b, 1], W).
query(word(_)).
query(dashed(_)).
