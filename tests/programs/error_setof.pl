% Collecting answers in order, each once, as other Prolog systems do.
%
% Expected error: UnknownPredicateError
% at 9:9
% says ProbLog has no setof/3; findall(X, Goal, All), sort(All, Set)

p(10).
p(9).
q(L) :- setof(X, p(X), L).
query(q(_)).
