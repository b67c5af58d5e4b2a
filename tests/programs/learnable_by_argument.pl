% t(_, X): one parameter for each X.
%
% By hand: each starts at 0.5, so that 1 - 0.5 * 0.5 = 0.75.
%
% Expected outcome:
% some : 0.75
% heads(1) : 0.5
% heads(2) : 0.5

t(_, X)::heads(X) :- coin(X).
coin(1).
coin(2).
some :- heads(_).
query(some).
query(heads(_)).
