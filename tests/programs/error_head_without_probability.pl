% A head of an annotated disjunction without a probability.
%
% Expected error: InvalidProbabilityError
% at 8:1
% says b has no probability; every head

c.
0.3::a; b :- c.
query(a).
