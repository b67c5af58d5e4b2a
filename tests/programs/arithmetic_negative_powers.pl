% A sign may stand behind ** without parentheses.
%
% By hand: 2 to the power of -1 is 0.5, that of -2 is 0.25, and 10 to the power of -1 is 0.1.
%
% ProbLog differs: its parser takes the sign for a clash of operators
% Expected outcome:
% v(0.5) : 1
% v(0.25) : 1
% a : 0.1

v(X) :- X is 2 ** -1.
v(X) :- Y = 2, X is 2 ** -Y.
P::a :- P is 10 ** -1.
query(v(_)).
query(a).
