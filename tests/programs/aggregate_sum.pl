% library(aggregate): sums in groups.
%
% By hand: group a has 1, 2 or both with 0.25 each; group b its 4 with 0.5.
%
% Expected outcome:
% q(a,1) : 0.25
% q(a,2) : 0.25
% q(a,3) : 0.25
% q(b,4) : 0.5
% Declined: _, _ as an argument is not spoken by the tabled engine

:- use_module(library(aggregate)).
0.5::p(a, 1).
0.5::p(a, 2).
0.5::p(b, 4).
q(G, S) :- aggregate(sum, X, G, p(G, X), (G, S)).
query(q(_, _)).
