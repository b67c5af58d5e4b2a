% Lambda expressions in library(apply): parameters, further arguments, variables of the clause.
%
% By hand: the chosen items are those of 1, 2, 3 above the limit L, 1 (0.25) or 2 (0.75). Each is drawn with
% probability 0.5, so that all are drawn with 0.25 * 0.25 + 0.75 * 0.5 = 0.4375.
%
% ProbLog differs: it has no grammar rules and no lambda expressions.
% Expected outcome:
% doubled([2, 4, 6]) : 1
% total(6) : 1
% above([2, 3]) : 0.25
% above([3]) : 0.75
% all_drawn : 0.4375
% Declined: call/3 is not spoken by the tabled engine

0.25::limit(1); 0.75::limit(2).
0.5::drawn(X) :- member(X, [1, 2, 3]).
doubled(M) :- maplist([X, Y]>>(Y is 2 * X), [1, 2, 3], M).
total(S) :- foldl([X, A, B]>>(B is A + X), [1, 2, 3], 0, S).
above(M) :- limit(L), include([X]>>(X > L), [1, 2, 3], M).
all_drawn :- above(M), maplist([X]>>drawn(X), M).
query(doubled(_)).
query(total(_)).
query(above(_)).
query(all_drawn).
