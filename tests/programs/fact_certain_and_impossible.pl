% Probabilities 1 and 0 are certain and impossible, and so are their negations.
%
% By hand: a = 1, b = 0, c has no probability and is certain, not_a = 1 - 1, not_b = 1 - 0.
%
% Expected outcome:
% a : 1
% b : 0
% c : 1
% not_a : 0
% not_b : 1

1.0::a.
0.0::b.
c.
not_a :- \+ a.
not_b :- \+ b.
query(a).
query(b).
query(c).
query(not_a).
query(not_b).
