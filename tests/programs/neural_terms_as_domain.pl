% A domain holds any ground terms: quoted atoms, compound terms, lists.
%
% By hand: each is one output; a compound or a list is 0.3 + 0.4.
%
% Inputs: a
% Network net: a = 0.1, 0.2, 0.3, 0.4
% Expected outcome:
% seen(a, 'Dark blue') : 0.2
% seen(a, f(1)) : 0.3
% seen(a, [1, 2]) : 0.4
% nested(a) : 0.7
% Expected gradient:
% seen(a, f(1)) / net(a) : 0, 0, 1, 0
% nested(a) / net(a) : 0, 0, 1, 1

nn(net, [X], Y, [red, 'Dark blue', f(1), [1, 2]]) :: seen(X, Y).
nested(X) :- seen(X, f(_)).
nested(X) :- seen(X, [_|_]).
