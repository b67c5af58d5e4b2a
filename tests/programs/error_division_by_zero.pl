% Arithmetic without a value.
%
% Expected error: NoValueError
% at 7:11
% says 1/0 divides by zero

q(X) :- X is 1 / 0.
query(q(_)).
