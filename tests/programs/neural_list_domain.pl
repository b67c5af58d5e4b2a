% A network decides which value of a list of atoms holds.
%
% By hand: warm is red or green, 0.2 + 0.3, and grows with either output alike.
%
% Inputs: a
% Network net: a = 0.2, 0.3, 0.5
% Expected outcome:
% colour(a, green) : 0.3
% warm(a) : 0.5
% Expected gradient:
% colour(a, green) / net(a) : 0, 1, 0
% warm(a) / net(a) : 1, 1, 0

nn(net, [X], Y, [red, green, blue]) :: colour(X, Y).
warm(X) :- colour(X, red).
warm(X) :- colour(X, green).
