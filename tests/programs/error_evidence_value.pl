% Evidence that is neither true nor false.
%
% Expected error: GroundingError
% at 8:10
% says evidence(a, maybe): the second argument must be true or false

0.3::a.
evidence(a, maybe).
query(a).
