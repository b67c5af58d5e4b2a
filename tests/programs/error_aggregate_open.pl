% A solution that stands for any number of them.
%
% Expected error: NonGroundError
% at 9:9
% says aggregate_all/3 counts a solution of p(_) that leaves X unbound

0.5::a.
p(_) :- a.
n(N) :- aggregate_all(count, p(X), N).
query(n(_)).
