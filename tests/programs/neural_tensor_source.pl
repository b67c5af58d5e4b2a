% Items of a tensor source are named in the program; the network's output is its input here.
%
% By hand: both show the same, 0.2 * 0.6 + 0.8 * 0.4.
%
% Inputs:
% Network net: rows
% Source pics: 0 = 0.2, 0.8; 1 = 0.6, 0.4
% Expected outcome:
% same(0, 1) : 0.44
% digit(tensor(pics(1)), 0) : 0.6
% Expected gradient:
% same(0, 1) / pics(0) : 0.6, 0.4
% same(0, 1) / pics(1) : 0.2, 0.8

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
same(M, N) :- digit(tensor(pics(M)), Y), digit(tensor(pics(N)), Y).
