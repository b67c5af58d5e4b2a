% A negated conjunction.
%
% By hand: 1 - 0.3 * 0.5 = 0.85.
%
% Expected outcome:
% a : 0.85

0.3::b.
0.5::c.
a :- \+ (b, c).
query(a).
