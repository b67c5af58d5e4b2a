% Evidence may follow from a rule.
%
% By hand: P(b given a or b) = 0.4 / 0.58.
%
% Expected outcome:
% b : 0.6896551724137931
% Expected log evidence: log(0.58)

0.3::a.
0.4::b.
c :- a ; b.
observed.
evidence(c) :- observed.
query(b).
