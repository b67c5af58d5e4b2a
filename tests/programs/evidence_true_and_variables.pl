% evidence/2 with true, of all instances of an atom.
%
% By hand: both p are given: q = 0.5.
%
% Expected outcome:
% p(1) : 1
% p(2) : 1
% q : 0.5
% Expected log evidence: log(0.08)

0.2::p(1).
0.4::p(2).
0.5::q :- p(1), p(2).
evidence(p(1), true).
evidence(p(2), true).
query(p(_)).
query(q).
