% Neural edges of a cyclic graph: a path is the least fixpoint.
%
% By hand: directly or over b, 1 - 0.8 * (1 - 0.5 * 0.4); the way back from b to a is no help.
%
% Inputs: a b c
% Network net: a, b = 0.5; b, a = 0.9; b, c = 0.4; a, c = 0.2
% Expected outcome:
% path(a, c) : 0.36
% path(a, a) : 0.45
% Expected gradient:
% path(a, c) / net(a, c) : 0.8
% path(a, c) / net(a, b) : 0.32
% path(a, c) / net(b, c) : 0.4
% path(a, c) / net(b, a) : 0
% path(a, a) / net(b, a) : 0.5

nn(net, [X, Y]) :: link(X, Y) :- pair(X, Y).
pair(a, b).
pair(b, a).
pair(b, c).
pair(a, c).
path(X, Y) :- link(X, Y).
path(X, Y) :- link(X, Z), path(Z, Y).
