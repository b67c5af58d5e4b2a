% A number below 0.
%
% Expected error: GroundingError
% at 8:6
% says the first argument of at_least/2 is how many hold, from 0 on, not -1

0.5::p(1).
q :- at_least(-1, p(_)).
query(q).
