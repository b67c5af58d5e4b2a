% findall/3 over neural atoms: a choice of which of them hold.
%
% By hand: exactly one of two shows a 1, 0.7 * 0.4 + 0.3 * 0.6.
%
% Inputs: a b
% Network net: a = 0.3, 0.7; b = 0.4, 0.6
% Expected outcome:
% ones(1) : 0.46
% ones(2) : 0.42
% Expected gradient:
% ones(1) / net(a) : 0.6, 0.4
% ones(2) / net(b) : 0, 0.7

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
image(a).
image(b).
ones(N) :- findall(X, (image(X), digit(X, 1)), Found), length(Found, N).
