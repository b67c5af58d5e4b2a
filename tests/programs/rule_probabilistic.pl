% A rule with a probability.
%
% By hand: b = 0.3 * 0.5 = 0.15.
%
% Expected outcome:
% b : 0.15

0.3::a.
0.5::b :- a.
query(b).
