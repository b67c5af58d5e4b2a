% maplist over a probabilistic predicate.
%
% By hand: each of two signals gets through with 0.9, or is lost: both 0.81; the first alone 0.09.
%
% Expected outcome:
% sent([ok, ok]) : 0.81
% sent([ok, lost]) : 0.09
% sent([lost, ok]) : 0.09
% sent([lost, lost]) : 0.01
% Declined: call/3 is not spoken by the tabled engine

:- use_module(library(apply)).
0.9::through(S, ok); 0.1::through(S, lost) :- signal(S).
signal(1).
signal(2).
sent(L) :- maplist(through, [1, 2], L).
query(sent(_)).
