% A neural clause with a body: the network decides only where the body holds.
%
% By hand: b is no image, so nothing is seen there.
%
% Inputs: a b
% Network net: a = 0.2, 0.8; b = 0.5, 0.5
% Expected outcome:
% digit(a, 1) : 0.8
% digit(b, 1) : 0
% Expected gradient:
% digit(a, 1) / net(a) : 0, 1
% digit(b, 1) / net(b) : 0, 0

nn(net, [X], Y, [0, 1]) :: digit(X, Y) :- image(X).
image(a).
