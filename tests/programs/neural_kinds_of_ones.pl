% 1, 1.0 and "1" are three values of a domain.
%
% By hand: each has its own output; only 1 is an integer.
%
% Inputs: a
% Network net: a = 0.2, 0.3, 0.5
% Expected outcome:
% value(a, 1) : 0.2
% value(a, 1.0) : 0.3
% value(a, "1") : 0.5
% whole(a) : 0.2
% Expected gradient:
% value(a, 1.0) / net(a) : 0, 1, 0
% value(a, "1") / net(a) : 0, 0, 1
% whole(a) / net(a) : 1, 0, 0

nn(net, [X], Y, [1, 1.0, "1"]) :: value(X, Y).
whole(X) :- value(X, Y), integer(Y).
