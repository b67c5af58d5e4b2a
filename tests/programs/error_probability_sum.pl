% Heads that sum to more than 1.
%
% Expected error: InvalidProbabilityError
% at 7:6
% says sum to 1.3, which is more than 1

0.7::a; 0.6::b.
query(a).
