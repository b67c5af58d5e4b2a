% What nothing proves does not hold.
%
% By hand: there is no p(3).
%
% Expected outcome:
% a : 1
% b : 0.5

0.5::p(1).
a :- \+ p(3).
b :- \+ p(1).
query(a).
query(b).
