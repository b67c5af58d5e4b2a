% Evidence that an atom does not hold, written with a negation.
%
% By hand: c holds where b does: 0.4.
%
% Expected outcome:
% c : 0.4
% a : 0
% Expected log evidence: log(0.7)

0.3::a.
0.4::b.
c :- a.
c :- b.
evidence(\+ a).
query(c).
query(a).
