% The logit of nn/2 goes through a sigmoid.
%
% By hand: the logit -log 3 is 1/4, with the derivative p (1 - p); not so, with its opposite.
%
% Inputs: a
% Network net (logits): a = -1.0986122886681098
% Expected outcome:
% yes(a) : 0.25
% no(a) : 0.75
% Expected gradient:
% yes(a) / net(a) : 0.1875
% no(a) / net(a) : -0.1875

nn(net, [X]) :: yes(X).
no(X) :- \+ yes(X).
