% A number cannot be asked.
%
% Expected error: GroundingError
% at 7:7
% says query(1): 1 is not an atom

query(1).
