% A count of what depends on the count.
%
% Expected error: GroundingError
% at 8:9
% says aggregate_all/3 collects the answers of p(_) while these are being found: they depend on themselves

0.5::p(1).
p(N) :- aggregate_all(count, p(_), N).
query(p(_)).
