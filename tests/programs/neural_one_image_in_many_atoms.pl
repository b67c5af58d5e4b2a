% All atoms of one input are one choice: exactly one value holds.
%
% By hand: an image is not 0 and 1 at once; it is either with 0.2 + 0.3, and itself with certainty.
%
% Inputs: a
% Network net: a = 0.2, 0.3, 0.5
% Expected outcome:
% both(a) : 0
% either(a) : 0.5
% equal(a, a) : 1
% Expected gradient:
% both(a) / net(a) : 0, 0, 0
% either(a) / net(a) : 1, 1, 0

nn(net, [X], Y, [0..2]) :: digit(X, Y).
both(X) :- digit(X, 0), digit(X, 1).
either(X) :- digit(X, 0).
either(X) :- digit(X, 1).
equal(X, Y) :- digit(X, Z), digit(Y, Z).
