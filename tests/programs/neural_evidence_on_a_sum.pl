% Evidence conditions neural atoms.
%
% By hand: 1 is 0 + 1 or 1 + 0, 0.08 + 0.48; the first is 0 in 0.08 / 0.56. The derivative of n / d is
% (n' d - n d') / d^2.
%
% Inputs: a b
% Network net: a = 0.2, 0.8; b = 0.6, 0.4
% Expected outcome:
% digit(a, 0) : 0.14285714285714285
% digit(b, 0) : 0.8571428571428571
% Expected gradient:
% digit(a, 0) / net(a) : 0.6122448979591837, -0.15306122448979592
% digit(a, 0) / net(b) : -0.20408163265306123, 0.30612244897959184

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
sum(X, Y, S) :- digit(X, A), digit(Y, B), S is A + B.
evidence(sum(a, b, 1)).
