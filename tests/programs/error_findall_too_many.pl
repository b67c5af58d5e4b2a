% More lists than can be written down: one for every set of 20 facts.
%
% Expected error: BudgetExceededError
% at 8:9
% says the 20 answers that are collected here make too many lists

0.5::p(X) :- between(1, 20, X).
n(L) :- findall(X, p(X), L).
query(n(_)).
