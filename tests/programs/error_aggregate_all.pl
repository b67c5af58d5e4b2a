% A predicate that other systems count by.
%
% Expected error: UnknownPredicateError
% at 8:9
% says ProbLog has no aggregate_all/3; count by findall(x, Goal, L), length(L

0.5::p(1). 0.5::p(2).
n(N) :- aggregate_all(count, p(_), N).
query(n(_)).
