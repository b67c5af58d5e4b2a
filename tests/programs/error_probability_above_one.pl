% A probability above 1.
%
% Expected error: InvalidProbabilityError
% at 7:6
% says the probability 1.3 of a is not between 0 and 1

1.3::a.
query(a).
