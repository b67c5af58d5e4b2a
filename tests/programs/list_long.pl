% A list of 300 items, summed.
%
% By hand: 300 * 301 / 2 = 45150, where the fact holds.
%
% Expected outcome:
% sum(45150) : 0.5

:- use_module(library(lists)).
0.5::on.
sum(S) :- on, numlist(1, 300, L), sum_list(L, S).
query(sum(_)).
