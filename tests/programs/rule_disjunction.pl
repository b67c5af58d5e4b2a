% A disjunction in a body.
%
% By hand: (1 - 0.7 * 0.6) * 0.5 = 0.29.
%
% Expected outcome:
% d : 0.29

0.3::a.
0.4::b.
0.5::c.
d :- (a ; b), c.
query(d).
