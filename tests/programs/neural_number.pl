% Numbers of a network (nn/3) in rules: compared row by row, and by a soft comparison.
%
% By hand: 37 and 39 differ by 2; above 38 with a width of 2 are s = 1 / (1 + exp(0.5)) for a and 1 - s for b, whose
% slopes are s (1 - s) / 2. The mean is 38, so that the bell is at its top, where it is flat.
%
% Inputs: a b
% Network net: a = 37.0; b = 39.0
% Expected outcome:
% warmer(b, a) : 1
% warmer(a, b) : 0
% fever(a) : 0.3775406687981454
% fever(b) : 0.6224593312018546
% usual(a, b) : 1
% either(a, b) : 0.7649962877984055
% Expected gradient:
% fever(a) / net(a) : 0.11750185610079725
% warmer(b, a) / net(a) : 0
% usual(a, b) / net(b) : 0
% either(a, b) / net(a) : 0.04436172933731844

nn(net, [X], T) :: temperature(X, T).
warmer(X, Y) :- temperature(X, T), temperature(Y, U), T >= U + 1.5.
fever(X) :- temperature(X, T), above(T, 38, 2).
mean(X, Y, M) :- temperature(X, T), temperature(Y, U), M is (T + U) / 2.
usual(X, Y) :- mean(X, Y, M), near(M, 38, 1).
either(X, _) :- fever(X).
either(_, Y) :- fever(Y).
