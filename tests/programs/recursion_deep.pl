% Counting down from 500: recursion as deep as it needs to be.
%
% By hand: a certain computation, and then a fact: 0.3.
%
% Expected outcome:
% down(500) : 0.3

0.3::ground.
down(0) :- ground.
down(N) :- N > 0, M is N - 1, down(M).
query(down(500)).
