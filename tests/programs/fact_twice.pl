% The same fact written twice is two independent facts.
%
% By hand: 1 - 0.7 * 0.7 = 0.51.
%
% Expected outcome:
% a : 0.51

0.3::a.
0.3::a.
query(a).
