% A neural atom that is known not to hold leaves the others.
%
% By hand: 0.3 / 0.8, with derivatives 0.5 / 0.64 and -0.3 / 0.64.
%
% Inputs: a
% Network net: a = 0.2, 0.3, 0.5
% Expected outcome:
% digit(a, 1) : 0.375
% digit(a, 0) : 0
% Expected gradient:
% digit(a, 1) / net(a) : 0, 0.78125, -0.46875

nn(net, [X], Y, [0..2]) :: digit(X, Y).
evidence(digit(a, 0), false).
