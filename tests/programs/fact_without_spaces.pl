% Operators need no spaces around them.
%
% By hand: 0.3 * (1 - 0.4) = 0.18.
%
% Expected outcome:
% a : 0.18

a:-b,\+c.
0.3::b.
0.4::c.
query(a).
