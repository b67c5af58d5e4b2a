% The sum of a list of handwritten digits, however long.
%
% Every rest of the list has a sum of its own, so that the circuit has a layer of sums an image: it grows with the
% square of the length, not with the 10^n readings. Each length is a structure of its own, and the network is one for
% all of them; what it learns from short lists serves long ones.
%
% Ask for sum([a, b, c], S): there are 28 answers.
%
% By hand: of the 1,000 readings of three digits 1 has the sum 0, 3 have the sum 1 and 75 have the sum 13.
%
% Network digit_net: uniform
% Expected outcome:
% sum([], 0) : 1
% sum([a], 4) : 0.1
% sum([a, b], 18) : 0.01
% sum([a, b, c], 1) : 0.003
% sum([a, b, c], 13) : 0.075
% sum([a, b, a], 1) : 0.01

nn(digit_net, [X], D, [0..9]) :: digit(X, D).

sum([], 0).
sum([X|Xs], S) :- sum(Xs, Rest), digit(X, D), S is Rest + D.
