% A goal that has answers without end.
%
% Expected error: BudgetExceededError
% at 7:1
% says append(_,[1],_) seems to go on without end

q(X, Y) :- append(X, [1], Y).
query(q(_, _)).
