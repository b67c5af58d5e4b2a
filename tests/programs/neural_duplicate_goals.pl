% A goal that stands twice counts once.
%
% By hand: 0.8, and 0.8 * 0.5, not their squares.
%
% Inputs: a b
% Network net: a = 0.2, 0.8; b = 0.5, 0.5
% Expected outcome:
% twice(a) : 0.8
% mixed(a, b) : 0.4
% alternatives(a) : 0.8
% Expected gradient:
% twice(a) / net(a) : 0, 1
% mixed(a, b) / net(a) : 0, 0.5
% mixed(a, b) / net(b) : 0, 0.8
% alternatives(a) / net(a) : 0, 1

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
twice(X) :- digit(X, 1), digit(X, 1).
mixed(X, Y) :- digit(X, 1), digit(Y, 1), digit(X, 1).
alternatives(X) :- digit(X, 1).
alternatives(X) :- digit(X, 1).
