% The negation of a variable cannot be asked.
%
% Expected error: GroundingError
% at 8:7
% says query(\+_): a variable is not an atom that can hold or not

0.3::a.
query(\+X).
