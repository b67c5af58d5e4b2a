% An atom that two choices may make.
%
% By hand: 1 - 0.5 * 0.7 = 0.65.
%
% Expected outcome:
% a : 0.65

0.5::a; 0.5::b.
0.3::a; 0.7::c.
query(a).
