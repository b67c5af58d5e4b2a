% Two predicates that call each other.
%
% By hand: 6 is even if no step fails: 0.5 to the power 6.
%
% Expected outcome:
% even(6) : 0.015625
% odd(6) : 0

0.5::step(N) :- between(1, 6, N).
even(0).
even(N) :- N > 0, step(N), M is N - 1, odd(M).
odd(N) :- N > 0, step(N), M is N - 1, even(M).
query(even(6)).
query(odd(6)).
