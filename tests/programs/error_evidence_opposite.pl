% One atom is observed to hold and not to hold.
%
% Expected error: InconsistentEvidenceError
% at 9:1
% says the evidence rain

0.3::rain.
0.5::wet :- rain.
evidence(rain).
query(wet).
evidence(\+rain).
