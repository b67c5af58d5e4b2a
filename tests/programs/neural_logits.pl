% Logits: their softmax are the probabilities, and the gradient goes through it.
%
% By hand: logits 0 and log 3 are 1/4 and 3/4, whose derivatives are -p q and p q.
%
% Inputs: a
% Network net (logits): a = 0, 1.0986122886681098
% Expected outcome:
% digit(a, 1) : 0.75
% Expected gradient:
% digit(a, 1) / net(a) : -0.1875, 0.1875

nn(net, [X], Y, [0, 1]) :: digit(X, Y).
