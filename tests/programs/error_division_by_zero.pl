% Arithmetic without a value.
%
% Expected error: GroundingError
% at 7:11
% says 1/0 divides by zero

q(X) :- X is 1 / 0.
query(q(_)).
