% select/3 and its like take items out or replace them; permutation/2.
%
% By hand: 1 stands twice in [1,2,1].
%
% Expected outcome:
% out([1, 2]) : 1
% out([2, 1]) : 1
% first([2, 1]) : 1
% new([9, 2]) : 1
% first_new([9, 2, 1]) : 1
% order([1, 2]) : 1
% order([2, 1]) : 1
% without([2]) : 1
% ProbLog differs: its select/4 forgets the rest of the list

out(X) :- select(1, [1, 2, 1], X).
first(X) :- selectchk(1, [1, 2, 1], X).
new(X) :- select(1, [1, 2], 9, X).
first_new(X) :- selectchk(1, [1, 2, 1], 9, X).
order(X) :- permutation([1, 2], X).
without(X) :- delete([1, 2, 1], 1, X).
query(out(_)).
query(first(_)).
query(new(_)).
query(first_new(_)).
query(order(_)).
query(without(_)).
