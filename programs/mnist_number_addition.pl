% The sum of two handwritten numbers, the naive way, for comparison.
%
% Numbers are lists of images, the most significant digit first; the program reads both numbers and adds them. With N
% digits there are 10^(2N) combinations to ground, so this is for N = 1 and 2; mnist_multi_digit_addition.pl says the
% same with a carry, and is linear in N.
%
% Ask for addition([x1, x0], [y1, y0], S): there are 199 answers.
%
% Network mnist_net: uniform
% Expected outcome:
% addition([x1, x0], [y1, y0], 0) : 0.0001
% addition([x1, x0], [y1, y0], 19) : 0.002
% addition([x1, x0], [y1, y0], 99) : 0.01
% addition([x0], [y0], 3) : 0.04

nn(mnist_net, [X], Y, [0..9]) :: digit(X, Y).

addition(Xs, Ys, Z) :- number(Xs, 0, X), number(Ys, 0, Y), Z is X + Y.

number([], Result, Result).
number([X|Xs], Soon, Result) :- digit(X, D), Next is 10 * Soon + D, number(Xs, Next, Result).
