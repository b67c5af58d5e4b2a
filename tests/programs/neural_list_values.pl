% A list of numbers is one argument: a Python list.
%
% By hand: 0.7; the other list is another choice, 0.7 * 0.6.
%
% Inputs:
% Network net (values): [3, 5, 0] = 0.3, 0.7; [0, 5, 3] = 0.4, 0.6
% Expected outcome:
% peak([3, 5, 0], high) : 0.7
% both([3, 5, 0]) : 0.42
% Expected gradient:
% both([3, 5, 0]) / net([3, 5, 0]) : 0, 0.6
% both([3, 5, 0]) / net([0, 5, 3]) : 0, 0.7

nn(net, [Numbers], Y, [low, high]) :: peak(Numbers, Y).
both(Numbers) :- peak(Numbers, high), reverse(Numbers, Others), peak(Others, high).
