% not/1 and the operator not are negation, too.
%
% By hand: 1 - 0.3.
%
% Expected outcome:
% a : 0.7
% b : 0.7

0.3::c.
a :- not c.
b :- not(c).
query(a).
query(b).
