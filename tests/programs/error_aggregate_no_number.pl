% A sum of what is no number.
%
% Expected error: NoValueError
% at 8:9
% says aggregate_all/3 adds up numbers, and ann is no number

0.5::p(1). 0.5::p(ann).
n(N) :- aggregate_all(sum(X), p(X), N).
query(n(_)).
