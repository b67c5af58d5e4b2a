% An answer that one clause proves by a goal, another by its negation, and a third by something else.
%
% By hand: one of the first two proofs holds, and with 0.4 the third.
%
% Expected outcome:
% q([1]) : 0.6
% q([1, 1]) : 0.4
% ProbLog differs: it takes the two cases for one certain proof
% Declined: findall/3 is not spoken by the tabled engine

0.5::a.
0.4::b.
p(1) :- a.
p(1) :- b.
p(1) :- \+ a.
q(L) :- findall(X, p(X), L).
query(q(_)).
