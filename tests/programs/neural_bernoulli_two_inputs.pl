% A network of two inputs: every pair has a probability of its own, and order matters.
%
% By hand: a chain of two, 0.8 * 0.5; either direction of one pair, 1 - 0.2 * 0.9.
%
% Inputs: a b c
% Network net: a, b = 0.8; b, c = 0.5; b, a = 0.1
% Expected outcome:
% chain(a, c) : 0.4
% either(a, b) : 0.82
% Expected gradient:
% chain(a, c) / net(a, b) : 0.5
% chain(a, c) / net(b, c) : 0.8
% either(a, b) / net(a, b) : 0.9
% either(a, b) / net(b, a) : 0.2

nn(net, [X, Y]) :: near(X, Y).
chain(X, Z) :- near(X, b), near(b, Z).
either(X, Y) :- near(X, Y).
either(X, Y) :- near(Y, X).
