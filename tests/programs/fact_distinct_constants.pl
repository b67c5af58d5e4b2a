% The integer 1, the number 1.0, the string and the atom are four terms.
%
% By hand: each has the probability of its own fact.
%
% Expected outcome:
% n(1) : 0.5
% n(1.0) : 0.25
% n("1") : 0.125
% n('1') : 0.0625
% Declined: 1 and '1' are written differently and unify

0.5::n(1).
0.25::n(1.0).
0.125::n("1").
0.0625::n('1').
query(n(_)).
