% A single input may stand without its brackets.
%
% By hand: the same as with [X].
%
% Inputs: a b
% Network net: a = 0.2, 0.8; b = 0.5, 0.5
% Expected outcome:
% digit(a, 1) : 0.8
% equal(a, b) : 0.5
% Expected gradient:
% digit(a, 1) / net(a) : 0, 1
% equal(a, b) / net(b) : 0.2, 0.8

nn(net, X, Y, [0, 1]) :: digit(X, Y).
equal(X, Y) :- digit(X, Z), digit(Y, Z).
