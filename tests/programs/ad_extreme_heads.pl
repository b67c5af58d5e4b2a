% Heads with probability 0 and 1.
%
% By hand: b alone holds.
%
% Expected outcome:
% a : 0
% b : 1
% c : 0

0.0::a; 1.0::b; 0.0::c.
query(a).
query(b).
query(c).
