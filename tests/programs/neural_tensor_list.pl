% A list of tensors is one argument of the network; this one adds them.
%
% By hand: (0.1, 0.2) + (0.3, 0.4) is (0.4, 0.6).
%
% Input a: 0.1, 0.2
% Input b: 0.3, 0.4
% Inputs: a b
% Network net: sum
% Expected outcome:
% joint(a, b, 1) : 0.6
% Expected gradient:
% joint(a, b, 1) / a : 0, 1
% joint(a, b, 1) / b : 0, 1

nn(net, [[X, Y]], Z, [0, 1]) :: joint(X, Y, Z).
