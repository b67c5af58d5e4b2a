% The sum of what networks see, given how many see something.
%
% By hand: the sums 1, 2 and 3 come of pairs (1,0), (0,1); (2,0), (0,2), (1,1); and (1,2), (2,1).
%
% Inputs: a b
% Network net: a = 0.2, 0.5, 0.3; b = 0.6, 0.3, 0.1
% Expected outcome:
% total(0) : 0.12
% total(1) : 0.36
% total(2) : 0.35
% total(3) : 0.14
% total(4) : 0.03
% Expected gradient:
% total(1) / net(a) : 0.3, 0.6, 0

nn(net, [X], Y, [0, 1, 2]) :: digit(X, Y).
image(a).
image(b).
total(N) :- aggregate_all(sum(Y), (image(X), digit(X, Y)), N).
