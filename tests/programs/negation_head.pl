% A negated head takes away: inhibition.
%
% By hand: a holds if its cause does and the inhibition does not: 0.3 * (1 - 0.5) = 0.15.
%
% Expected outcome:
% a : 0.15

0.3::a.
0.5::\+a.
query(a).
