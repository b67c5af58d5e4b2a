% What if-then-else would say, as ProbLog says it: a condition and its negation.
%
% By hand: a holds with 0.3: q(1) = 0.3, q(2) = 0.7.
%
% Expected outcome:
% q(1) : 0.3
% q(2) : 0.7

0.3::a.
q(X) :- (a, X = 1 ; \+ a, X = 2).
query(q(_)).
