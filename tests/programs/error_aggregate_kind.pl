% An aggregate that there is not.
%
% Expected error: GroundingError
% at 8:9
% says aggregate_all/3 takes count, sum(X), avg(X), max(X), min(X), max(X, Witness) and min(X, Witness), not median(_)

0.5::p(1). 0.5::p(2).
n(N) :- aggregate_all(median(X), p(X), N).
query(n(_)).
