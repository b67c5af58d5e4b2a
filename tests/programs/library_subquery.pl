% subquery/2,3: the probability of a goal as a number.
%
% By hand: P(c) = 0.12; given a it is 0.4; so that the test holds.
%
% Expected outcome:
% p(0.3) : 1
% likely : 1
% given(0.4) : 1
% Declined: subquery/2 is not spoken by the tabled engine

0.3::a.
0.4::b.
c :- a, b.
p(P) :- subquery(a, P).
likely :- subquery(c, P), P < 0.2.
given(P) :- subquery(b, P, [a]).
query(p(_)).
query(likely).
query(given(_)).
