% Two neural clauses on one network are two choices with the same probabilities.
%
% By hand: both say 0 with 0.2 * 0.2, whose derivative is 2 * 0.2.
%
% Inputs: a
% Network net: a = 0.2, 0.8
% Expected outcome:
% both(a) : 0.04
% left(a, 0) : 0.2
% Expected gradient:
% both(a) / net(a) : 0.4, 0
% left(a, 0) / net(a) : 1, 0

nn(net, [X], Y, [0, 1]) :: left(X, Y).
nn(net, [X], Y, [0, 1]) :: right(X, Y).
both(X) :- left(X, 0), right(X, 0).
