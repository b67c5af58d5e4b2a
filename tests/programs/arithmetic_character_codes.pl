% Codes of characters, also those of a blank, a quote, a full stop, a bracket and an escape, are integers.
%
% By hand: the code of c is 99, and two letters on from a is c.
%
% ProbLog differs: its parser has no such codes
% Expected outcome:
% code(99) : 1
% codes([32, 39, 46, 40, 10]) : 1
% next(99) : 0.5

code(X) :- X = 0'c.
codes([0' , 0''', 0'., 0'(, 0'\n]).
0.5::step(2).
next(X) :- step(N), X is 0'a + N.
query(code(_)).
query(codes(_)).
query(next(_)).
