% Negation as failure of a probabilistic fact.
%
% By hand: 1 - 0.3.
%
% Expected outcome:
% b : 0.7

0.3::a.
b :- \+ a.
query(b).
