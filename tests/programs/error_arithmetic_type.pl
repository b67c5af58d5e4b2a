% Arithmetic with a text.
%
% Expected error: NoValueError
% at 7:11
% says this arithmetic has no value: "a" is a text, no number

q(X) :- X is "a" + 1.
query(q(_)).
