% A predicate of Prolog that ProbLog does not have, with what to use.
%
% Expected error: UnknownPredicateError
% at 8:9
% says ProbLog has no bagof/3; all/3 collects answers

p(1).
q(L) :- bagof(X, p(X), L).
query(q(_)).
