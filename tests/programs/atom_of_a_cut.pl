% The atom '!' is a term like any other where nothing calls it: it is no cut there.
%
% By hand: a mark is there, or none is; the last rule finds the atom among the items of a list.
%
% ProbLog differs: it writes quotes around the atom in its answers.
%
% Expected outcome:
% mark(!) : 0.3
% is(!) : 0.3
% none : 0.7
% first(!) : 1

0.3::mark('!').
is(X) :- X = '!', mark(X).
none :- \+ mark('!').
first(X) :- L = ['!', a], L = [X|_].
query(mark('!')).
query(is(_)).
query(none).
query(first(_)).
