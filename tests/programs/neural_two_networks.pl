% Two networks look at one input: their choices are independent.
%
% By hand: a red square is 0.3 * 0.6; red or square is 1 - 0.7 * 0.4.
%
% Inputs: a
% Network hue: a = 0.3, 0.7
% Network form: a = 0.6, 0.4
% Expected outcome:
% red_square(a) : 0.18
% either(a) : 0.72
% Expected gradient:
% red_square(a) / hue(a) : 0.6, 0
% red_square(a) / form(a) : 0.3, 0

nn(hue, [X], Y, [red, blue]) :: colour(X, Y).
nn(form, [X], Y, [square, circle]) :: shape(X, Y).
red_square(X) :- colour(X, red), shape(X, square).
either(X) :- colour(X, red).
either(X) :- shape(X, square).
