% Facts of one query stand beside the program's, probabilistic ones, too.
%
% By hand: over b, 0.5 * 0.3.
%
% Inputs: a b
% Facts: edge(a, b). 0.3 :: edge(b, c).
% Network net: a = 0.5; b = 0.8
% Expected outcome:
% path(a, b) : 0.5
% path(a, c) : 0.12
% Expected gradient:
% path(a, c) / net(a) : 0.24
% path(a, c) / net(b) : 0.15

nn(net, [X]) :: open(X).
path(X, Y) :- open(X), edge(X, Y).
path(X, Y) :- open(X), edge(X, Z), path(Z, Y).
edge(d, e).
