% A network's argument may be what the program computed; equal numbers are one choice.
%
% By hand: 1 + 2 is 2 + 1, so the two are the same choice, and both are large with 0.6.
%
% Inputs:
% Network net (values): 3 = 0.6; 5 = 0.5
% Expected outcome:
% both(1, 2, 2, 1) : 0.6
% both(1, 2, 2, 3) : 0.3
% Expected gradient:
% both(1, 2, 2, 1) / net(3) : 1
% both(1, 2, 2, 3) / net(3) : 0.5
% both(1, 2, 2, 3) / net(5) : 0.6

nn(net, [N]) :: large(N).
large_sum(A, B) :- S is A + B, large(S).
both(A, B, C, D) :- large_sum(A, B), large_sum(C, D).
