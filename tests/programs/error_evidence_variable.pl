% Evidence that is a variable.
%
% Expected error: GroundingError
% at 8:1
% says evidence(_): a variable is not an atom

0.3::a.
evidence(X).
query(a).
