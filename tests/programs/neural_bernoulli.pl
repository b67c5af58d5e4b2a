% nn/2: the network says how probable the head is; inputs are independent of each other.
%
% By hand: any is 1 - 0.7 * 0.4, and grows with the first by what the second leaves, 0.4.
%
% Inputs: a b
% Network net: a = 0.3; b = 0.6
% Expected outcome:
% both : 0.18
% any : 0.72
% Expected gradient:
% both / net(a) : 0.6
% any / net(a) : 0.4
% any / net(b) : 0.7

nn(net, [X]) :: yes(X).
both :- yes(a), yes(b).
any :- yes(a).
any :- yes(b).
