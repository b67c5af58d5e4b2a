% A network without inputs is one choice.
%
% By hand: each value is an output of its own.
%
% Inputs:
% Network net: constant 0.2, 0.8
% Expected outcome:
% coin(tails) : 0.8
% luck : 0.04
% Expected gradient:
% coin(tails) / net : 0, 1
% luck / net : 0.2, 0

nn(net, [], Y, [heads, tails]) :: coin(Y).
0.2 :: lucky.
luck :- lucky, coin(heads).
