% Paths as lists, in a cyclic graph, whose members are not visited again.
%
% By hand: One path leads from 1 to 3: 0.5 * 0.2.
%
% Expected outcome:
% reach(3) : 0.1

0.5::e(1, 2). 0.2::e(2, 3). 0.9::e(3, 1).
path(X, Y, [X, Y]) :- e(X, Y).
path(X, Z, [X|P]) :- e(X, Y), path(Y, Z, P), \+ in(X, P).
in(X, [X|_]).
in(X, [Y|T]) :- X \= Y, in(X, T).
reach(X) :- path(1, X, _), X = 3.
query(reach(3)).
