% Tensors and values mix among the arguments of one network.
%
% By hand: a is at least 2 but not at least 3: 0.9 * (1 - 0.4), as two independent choices.
%
% Inputs: a
% Network net (values): a, 2 = 0.9; a, 3 = 0.4
% Expected outcome:
% at_least(a, 2) : 0.9
% is_two(a) : 0.54
% Expected gradient:
% is_two(a) / net(a, 2) : 0.6
% is_two(a) / net(a, 3) : -0.9

nn(net, [X, N]) :: at_least(X, N).
is_two(X) :- at_least(X, 2), \+ at_least(X, 3).
