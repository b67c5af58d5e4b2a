% exactly/2, at_least/2 and at_most/2: of goals in a list, and of the solutions of one goal.
%
% By hand: of three coins none, one, two or three show heads with 1, 3, 3 and 1 eighths. Two proofs of one goal in a
% list are one goal that holds, and two solutions of a goal are two.
%
% Expected outcome:
% one : 0.375
% two_or_more : 0.5
% one_or_none : 0.5
% no_two : 0.625
% of_list : 0.5
% proofs(0) : 0.25
% proofs(1) : 0.5
% proofs(2) : 0.25
% goals(0) : 0.25
% goals(1) : 0.75
% ProbLog differs: it has none of these
% Declined: exactly/2 is not spoken by the tabled engine

0.5::coin(C) :- between(1, 3, C).
either :- coin(1).
either :- coin(2).
one :- exactly(1, coin(_)).
two_or_more :- at_least(2, coin(_)).
one_or_none :- at_most(1, coin(_)).
no_two :- \+ exactly(2, coin(_)).
of_list :- exactly(1, [coin(1), coin(2)]).
proofs(N) :- exactly(N, either).
goals(N) :- exactly(N, [either]).
query(one).
query(two_or_more).
query(one_or_none).
query(no_two).
query(of_list).
query(proofs(_)).
query(goals(_)).
