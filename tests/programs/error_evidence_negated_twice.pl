% Evidence is an atom or its negation; a negation of a negation is said to be one too many.
%
% Expected error: GroundingError
% at 8:10
% says it is negated twice; write evidence(a)

0.3::a.
evidence(\+ \+a).
query(a).
