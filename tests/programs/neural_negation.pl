% The negation of a neural atom is all other values.
%
% By hand: not 0 is 1 or 2, 0.3 + 0.5, and grows with these outputs, not with 1 - the first.
%
% Inputs: a
% Network net: a = 0.2, 0.3, 0.5
% Expected outcome:
% positive(a) : 0.8
% middle(a) : 0.3
% Expected gradient:
% positive(a) / net(a) : 0, 1, 1
% middle(a) / net(a) : 0, 1, 0

nn(net, [X], Y, [0..2]) :: digit(X, Y).
positive(X) :- \+ digit(X, 0).
middle(X) :- \+ digit(X, 0), \+ digit(X, 2).
