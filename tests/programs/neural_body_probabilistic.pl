% A neural clause whose body is uncertain.
%
% By hand: the camera is on and shows a one, 0.5 * 0.7; it is dark where it is off.
%
% Inputs: a
% Network net: a = 0.3, 0.7
% Expected outcome:
% digit(a, 1) : 0.35
% dark(a) : 0.5
% Expected gradient:
% digit(a, 1) / net(a) : 0, 0.5

0.5 :: on.
nn(net, [X], Y, [0, 1]) :: digit(X, Y) :- on.
dark(X) :- \+ digit(X, 0), \+ digit(X, 1).
