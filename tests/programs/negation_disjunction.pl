% A negated disjunction.
%
% By hand: 0.7 * 0.5 = 0.35.
%
% Expected outcome:
% a : 0.35

0.3::b.
0.5::c.
a :- \+ (b ; c).
query(a).
