% Two rules for an atom: it holds if one of them does.
%
% By hand: 1 - 0.7 * 0.6 = 0.58.
%
% Expected outcome:
% c : 0.58

0.3::a.
0.4::b.
c :- a.
c :- b.
query(c).
