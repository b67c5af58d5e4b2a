% A variable of the body alone makes a choice for each of its values.
%
% By hand: With d(2) ruled out, one choice is left.
%
% Expected outcome:
% c(red) : 0.25
% c(blue) : 0.75
% Expected log evidence: log(0.5)

0.25::c(red); 0.75::c(blue) :- d(_).
d(1).
0.5::d(2).
evidence(\+ d(2)).
query(c(_)).
