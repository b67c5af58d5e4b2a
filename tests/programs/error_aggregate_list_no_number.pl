% A list that is added up, of what is no number.
%
% Expected error: NoValueError
% at 8:9
% says sum_list/2 adds up numbers, and ann is no number

0.5::p(1). 0.5::p(ann).
n(N) :- findall(X, p(X), L), sum_list(L, N).
query(n(_)).
