% The output may stand anywhere in the head, and more than once.
%
% By hand: pairs of one value hold as the value does; others never.
%
% Inputs: a
% Network net: a = 0.2, 0.8
% Expected outcome:
% pair(1, a, f(1)) : 0.8
% pair(1, a, f(0)) : 0
% Expected gradient:
% pair(1, a, f(1)) / net(a) : 0, 1

nn(net, [X], Y, [0, 1]) :: pair(Y, X, f(Y)).
