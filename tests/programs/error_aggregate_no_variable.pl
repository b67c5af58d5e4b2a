% A sum of what the goal does not bind.
%
% Expected error: NonGroundError
% at 8:9
% says aggregate_all/3 adds up _, which a solution leaves unbound; bind it in the goal

0.5::p(1). 0.5::p(2).
n(N) :- aggregate_all(sum(Y), p(X), N).
query(n(_)).
