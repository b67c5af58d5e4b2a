% A variable that the head shares with the goal is not bound: SWI-Prolog would count over all its values.
%
% Expected error: NonGroundError
% at 8:12
% says aggregate_all/3 is reached while Y is not bound, which other goals of this clause share: bind it in a goal before

0.5::p(1, a). 0.5::p(2, b).
n(Y, N) :- aggregate_all(count, p(_, Y), N).
query(n(_, _)).
