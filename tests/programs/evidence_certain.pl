% Evidence of what is certain says nothing.
%
% By hand: P(b) = 1, so that a keeps its 0.3.
%
% Expected outcome:
% a : 0.3
% Expected log evidence: 0

0.3::a.
b.
evidence(b).
query(a).
