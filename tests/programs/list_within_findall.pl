% Predicates of library(lists) with two ways of calling, within findall/3.
%
% By hand: a list of three has six permutations, one reverse, one largest and one smallest item.
%
% ProbLog differs: its min_member/2 gives the largest item, and lists are a library to be loaded
% Expected outcome:
% orders(6) : 1
% back([[c, b, a]]) : 1
% most([3]) : 1
% least([1]) : 1
% Declined: findall/3 is not spoken by the tabled engine

orders(N) :- findall(P, permutation([1, 2, 3], P), L), length(L, N).
back(L) :- findall(P, reverse([a, b, c], P), L).
most(L) :- findall(P, max_member([1, 3, 2], P), L).
least(L) :- findall(P, min_member(P, [1, 3, 2]), L).
query(orders(_)).
query(back(_)).
query(most(_)).
query(least(_)).
