% An annotated disjunction below a neural atom.
%
% By hand: a 1 is round with 0.4: 0.4 * 0.8.
%
% Inputs: a
% Network net: a = 0.2, 0.8
% Expected outcome:
% shape(a, round) : 0.32
% shape(a, square) : 0.48
% Expected gradient:
% shape(a, round) / net(a) : 0, 0.4
% shape(a, square) / net(a) : 0, 0.6

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
0.4 :: shape(X, round); 0.6 :: shape(X, square) :- digit(X, 1).
