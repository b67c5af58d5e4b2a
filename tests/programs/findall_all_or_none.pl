% all_or_none/3 has the empty list, too; an answer with two proofs counts once.
%
% By hand: p(1) holds with 1 - 0.5 * 0.4 = 0.8.
%
% Expected outcome:
% q([]) : 0.2
% q([1]) : 0.8
% Declined: all_or_none/3 is not spoken by the tabled engine

0.5::a.
0.6::b.
p(1) :- a.
p(1) :- b.
q(L) :- all_or_none(X, p(X), L).
query(q(_)).
