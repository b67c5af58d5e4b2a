% Log-probabilities: the derivative of a probability by its logarithm is itself.
%
% By hand: logarithms of 1/4 and 3/4; both images show a 1 with 9/16, and each logarithm moves that by 9/16.
%
% Inputs: a b
% Network net (log-probabilities): a = -1.3862943611198906, -0.2876820724517809
% Network net: b = -1.3862943611198906, -0.2876820724517809
% Expected outcome:
% digit(a, 1) : 0.75
% both(a, b) : 0.5625
% Expected gradient:
% digit(a, 1) / net(a) : 0, 0.75
% both(a, b) / net(a) : 0, 0.5625
% both(a, b) / net(b) : 0, 0.5625

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
both(X, Y) :- digit(X, 1), digit(Y, 1).
