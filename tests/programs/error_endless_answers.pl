% A goal that has answers without end.
%
% Expected error: BudgetExceededError
% at 8:1
% says this goal has answers without end
% says in library(lists)

q(X, Y) :- append(X, [1], Y).
query(q(_, _)).
