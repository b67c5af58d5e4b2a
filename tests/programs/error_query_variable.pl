% A query that is a variable.
%
% Expected error: GroundingError
% at 8:1
% says query(_): a variable is not an atom

a.
query(_).
