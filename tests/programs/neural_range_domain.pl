% A range is a domain; two inputs of one network are two choices.
%
% By hand: 2 is 0 + 2, 1 + 1 or 2 + 0: 0.2 * 0.3 + 0.3 * 0.6 + 0.5 * 0.1.
%
% Inputs: a b
% Network net: a = 0.2, 0.3, 0.5; b = 0.1, 0.6, 0.3
% Expected outcome:
% sum(a, b, 2) : 0.29
% sum(a, b, 5) : 0
% Expected gradient:
% sum(a, b, 2) / net(a) : 0.3, 0.6, 0.1
% sum(a, b, 2) / net(b) : 0.5, 0.3, 0.2

nn(net, [X], Y, [0..2]) :: digit(X, Y).
sum(X, Y, S) :- digit(X, A), digit(Y, B), S is A + B.
