% A query may be a negation.
%
% By hand: 1 - 0.3.
%
% Expected outcome:
% \+a : 0.7

0.3::a.
query(\+a).
