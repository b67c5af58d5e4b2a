% Counting what networks see, without a list: nine images, of which at least eight show a 1.
%
% By hand: nine times 0.5 ** 9 for eight of them, and once for all.
%
% Inputs: a b c d e f g h i
% Network net: a = 0.5, 0.5; b = 0.5, 0.5; c = 0.5, 0.5; d = 0.5, 0.5; e = 0.5, 0.5; f = 0.5, 0.5; g = 0.5, 0.5; h = 0.5, 0.5; i = 0.5, 0.5
% Expected outcome:
% many : 0.01953125
% Expected gradient:
% many / net(a) : 0.00390625, 0.03515625

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
many :- at_least(8, (member(X, [a, b, c, d, e, f, g, h, i]), digit(X, 1))).
