% The largest and the smallest value that holds.
%
% By hand: 3 is the largest where it holds: 0.5; 1 where it holds alone: 0.25; and the other way round.
%
% Expected outcome:
% largest(3) : 0.5
% largest(1) : 0.25
% smallest(1) : 0.5
% smallest(3) : 0.25
% Declined: all, _ as an argument is not spoken by the tabled engine

:- use_module(library(aggregate)).
0.5::p(1).
0.5::p(3).
largest(M) :- aggregate(max, X, all, p(X), (all, M)).
smallest(M) :- aggregate(min, X, all, p(X), (all, M)).
query(largest(_)).
query(smallest(_)).
