% Sorting without taking out what occurs twice.
%
% Expected error: UnknownPredicateError
% at 7:9
% says ProbLog has no msort/2; sort/2

q(L) :- msort([b, a], L).
query(q(_)).
