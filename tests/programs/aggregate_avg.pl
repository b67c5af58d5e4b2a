% The mean of the values that hold, beside lists from library(lists).
%
% By hand: of 1, of 2, of both.
%
% Expected outcome:
% q(1.0) : 0.25
% q(2.0) : 0.25
% q(1.5) : 0.25
% ProbLog differs: it does not see lists that another library has loaded
% Declined: g, _ as an argument is not spoken by the tabled engine

:- use_module(library(aggregate)).
0.5::p(1).
0.5::p(2).
q(A) :- aggregate(avg, X, g, p(X), (g, A)), member(A, [1.0, 1.5, 2.0]).
query(q(_)).
