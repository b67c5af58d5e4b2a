% t(_) starts in the middle for a fact.
%
% By hand: 0.5; not a: 1 - a, with derivative -1.
%
% Expected outcome:
% a : 0.5
% not_a : 0.5
% Expected gradient:
% d a / d a : 1
% d not_a / d a : -1

t(_)::a.
not_a :- \+ a.
query(a).
query(not_a).
