% Learnable heads; what they leave is that none holds.
%
% By hand: s = a + b * 0.5; more of a is less of none: d s / d a = 1, d s / d b = 0.5.
%
% Expected outcome:
% s : 0.35
% Expected gradient:
% d s / d a : 1
% d s / d b : 0.5

t(0.2)::a; t(0.3)::b.
0.5::c.
s :- a.
s :- b, c.
query(s).
