% A walk that ends with a probability at every step.
%
% By hand: it ends at step n with 0.5^n; within three steps 1 - 0.5^3 = 0.875.
%
% Expected outcome:
% ends_within(3) : 0.875
% ends_at(2) : 0.25

0.5::stop(N) :- between(1, 3, N).
goes_on(0).
goes_on(N) :- N > 0, M is N - 1, goes_on(M), \+ stop(N).
ends_at(N) :- M is N - 1, goes_on(M), stop(N).
ends_within(N) :- between(1, N, M), ends_at(M).
query(ends_within(3)).
query(ends_at(2)).
