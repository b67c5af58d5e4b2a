% k=2 keeps the two most probable values; the others count as 0, and what is left is a lower bound.
%
% By hand: of 0.5, 0.3, 0.2 the last is cut; 0 or 2 is then 0.5.
%
% Inputs: a
% Network net (k=2): a = 0.5, 0.3, 0.2
% Expected outcome:
% digit(a, 0) : 0.5
% digit(a, 2) : 0
% even(a) : 0.5
% Expected gradient:
% digit(a, 2) / net(a) : 0, 0, 0
% even(a) / net(a) : 1, 0, 0

nn(net, [X], Y, [0..2]) :: digit(X, Y).
even(X) :- digit(X, Y), 0 is Y mod 2.
