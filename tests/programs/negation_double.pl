% Two negations are none.
%
% By hand: 0.3.
%
% Expected outcome:
% a : 0.3

0.3::b.
a :- \+ \+ b.
query(a).
