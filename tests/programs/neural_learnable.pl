% A learnable probability beside a network.
%
% By hand: noise, or else the network's 1: 0.3 + 0.7 * 0.6.
%
% Inputs: a
% Network net: a = 0.4, 0.6
% Expected outcome:
% ok(a) : 0.72
% clean(a) : 0.42
% Expected gradient:
% ok(a) / net(a) : 0, 0.7
% clean(a) / net(a) : 0, 0.7

t(0.3) :: noise.
nn(net, [X], Y, [0, 1]) :: digit(X, Y).
ok(X) :- noise.
ok(X) :- clean(X).
clean(X) :- \+ noise, digit(X, 1).
