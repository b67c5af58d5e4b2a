% A query is one atom.
%
% Expected error: GroundingError
% at 9:1
% says query(a, b): give a, b a name by a rule

0.5::a.
0.5::b.
query((a, b)).
