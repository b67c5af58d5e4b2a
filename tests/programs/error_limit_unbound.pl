% How many is not said.
%
% Expected error: NonGroundError
% at 8:9
% says at_most/2 is reached while its number is not bound; bind it before

0.5::p(1).
q(N) :- at_most(N, p(_)).
query(q(_)).
