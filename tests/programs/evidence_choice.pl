% A choice of which one value is ruled out.
%
% By hand: 0.3 / 0.5 and 0.2 / 0.5.
%
% Expected outcome:
% a(1) : 0
% a(2) : 0.6
% a(3) : 0.4
% Expected log evidence: log(0.5)

0.5::a(1); 0.3::a(2); 0.2::a(3).
evidence(\+ a(1)).
query(a(_)).
