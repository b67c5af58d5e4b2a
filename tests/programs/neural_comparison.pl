% Arithmetic comparison of two neural values.
%
% By hand: 1 < 2, 0 < 1, 0 < 2: 0.5 * (0.2 + 0.7) + 0.3 * 0.7.
%
% Inputs: a b
% Network net: a = 0.5, 0.3, 0.2; b = 0.1, 0.2, 0.7
% Expected outcome:
% less(a, b) : 0.66
% Expected gradient:
% less(a, b) / net(a) : 0.9, 0.7, 0
% less(a, b) / net(b) : 0, 0.5, 0.8

nn(net, [X], Y, [9..11]) :: digit(X, Y).
less(X, Y) :- digit(X, A), digit(Y, B), A < B.
