% Numbers of the program reach the network as Python numbers.
%
% By hand: both are even or both are odd, 0.1 * 0.7 + 0.9 * 0.3. 2 and 2.5 are different numbers.
%
% Inputs:
% Network net (values): 3 = 0.1, 0.9; 4 = 0.7, 0.3; 2.5 = 0.5, 0.5
% Expected outcome:
% agree(3, 4) : 0.34
% agree(3, 2.5) : 0.5
% Expected gradient:
% agree(3, 4) / net(3) : 0.7, 0.3
% agree(3, 4) / net(4) : 0.1, 0.9
% agree(3, 2.5) / net(2.5) : 0.1, 0.9

nn(net, [N], Y, [even, odd]) :: parity(N, Y).
agree(M, N) :- parity(M, Y), parity(N, Y).
