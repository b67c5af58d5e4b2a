% Evidence that no world satisfies.
%
% Expected error: InconsistentEvidenceError
% at 9:1
% says the evidence b contradicts the program

0.3::a.
b :- a, \+ a.
evidence(b).
query(a).
