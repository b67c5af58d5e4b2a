% evidence/2 with false.
%
% By hand: P(not c) = 1 - 0.3 * 0.4 = 0.88; a and not c: 0.3 * 0.6 = 0.18.
%
% Expected outcome:
% a : 0.20454545454545456
% b : 0.3181818181818182
% Expected log evidence: log(0.88)

0.3::a.
0.4::b.
c :- a, b.
evidence(c, false).
query(a).
query(b).
