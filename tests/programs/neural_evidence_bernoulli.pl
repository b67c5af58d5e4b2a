% Evidence on a rule over nn/2 atoms: explaining away.
%
% By hand: 0.3 / 0.72; with d = a + b - a b, the derivatives are b / d^2 and -a (1 - a) / d^2.
%
% Inputs: a b
% Network net: a = 0.3; b = 0.6
% Expected outcome:
% burglar(a) : 0.4166666666666667
% burglar(b) : 0.8333333333333334
% Expected gradient:
% burglar(a) / net(a) : 1.1574074074074074
% burglar(a) / net(b) : -0.4050925925925926

nn(net, [X]) :: burglar(X).
alarm :- burglar(a).
alarm :- burglar(b).
evidence(alarm).
