% A goal that is not bound.
%
% Expected error: NonGroundError
% at 8:9
% says aggregate_all/3 is reached while its goal is not bound; bind it before the call

0.5::p(1).
n(N) :- aggregate_all(count, G, N), G = p(1).
query(n(_)).
