% Two learnable causes.
%
% By hand: c = 1 - (1 - a)(1 - b); d c / d a = 1 - b = 0.6, d c / d b = 0.7.
%
% Expected outcome:
% c : 0.58
% Expected gradient:
% d c / d a : 0.6
% d c / d b : 0.7

t(0.3)::a.
t(0.4)::b.
c :- a.
c :- b.
query(c).
