% Outputs of exactly 0 and 1 have right gradients.
%
% By hand: both show a 1 with 0 * 0.5, which the first output would raise by 0.5.
%
% Inputs: a b
% Network net: a = 1, 0; b = 0.5, 0.5
% Expected outcome:
% both(a, b, 1) : 0
% both(a, b, 0) : 0.5
% Expected gradient:
% both(a, b, 1) / net(a) : 0, 0.5
% both(a, b, 1) / net(b) : 0, 0
% both(a, b, 0) / net(a) : 0.5, 0
% both(a, b, 0) / net(b) : 1, 0

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
both(X, Y, Z) :- digit(X, Z), digit(Y, Z).
