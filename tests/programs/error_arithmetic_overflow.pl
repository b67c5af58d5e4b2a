% Arithmetic that leaves the numbers.
%
% Expected error: NoValueError
% at 7:11
% says this arithmetic has no value: exp(1000) is too large for a number

q(X) :- X is exp(1000).
query(q(_)).
