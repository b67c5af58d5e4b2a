% Arithmetic with a variable that has no value yet.
%
% Expected error: NoValueError
% at 7:11
% says this arithmetic has no value: Y is not bound when it is reached

q(X) :- X is Y + 1, Y = 2.
query(q(_)).
