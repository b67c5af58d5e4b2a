% A goal that is repeated changes nothing.
%
% By hand: 0.3 * 0.4 = 0.12.
%
% Expected outcome:
% c : 0.12

0.3::a.
0.4::b.
c :- a, b, a, b, a.
query(c).
