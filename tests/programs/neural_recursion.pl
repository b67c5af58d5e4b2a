% Recursion over a list of inputs.
%
% By hand: the parity of two bits is odd with 0.7 * 0.4 + 0.3 * 0.6. A bit and itself are even whatever it is.
%
% Inputs: a b
% Network net: a = 0.3, 0.7; b = 0.4, 0.6
% Expected outcome:
% parity([a, b], 1) : 0.46
% parity([a, a], 1) : 0
% parity([a, a, b], 1) : 0.6
% Expected gradient:
% parity([a, b], 1) / net(a) : 0.6, 0.4
% parity([a, b], 1) / net(b) : 0.7, 0.3
% parity([a, a], 1) / net(a) : 0, 0

nn(net, [X], Y, [0, 1]) :: bit(X, Y).
parity([], 0).
parity([X|Xs], P) :- bit(X, B), parity(Xs, Q), P is (B + Q) mod 2.
