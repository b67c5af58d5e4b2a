% A rule that supports itself supports nothing.
%
% By hand: only the fact counts: 0.4; without one: 0.
%
% Expected outcome:
% a : 0.4
% b : 0

a :- a.
0.4::a.
b :- c.
c :- b.
query(a).
query(b).
