% Predicates of the program's own keep their names, whatever they are.
%
% By hand: 0.5 for p(2), which is all that the program's at_least/2 asks.
%
% Expected outcome:
% q : 0.5
% s(7) : 1
% r([b, a]) : 1
% Declined: an answer holds for all values of a variable

0.5::p(2).
at_least(X, _) :- p(X).
ordered([b, a]).
sum_list(_, 7).
q :- at_least(2, coin(_)).
s(N) :- findall(X, p(X), L), sum_list(L, N).
r(L) :- ordered(L).
query(q).
query(s(_)).
query(r(_)).
