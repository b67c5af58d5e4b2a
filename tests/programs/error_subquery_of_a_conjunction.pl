% The probability of a conjunction in which something is learnt, as a number.
%
% Expected error: UnsupportedConstructError
% at 9:9
% says no gradient could flow through it

t(0.3)::a.
0.4::b.
p(P) :- subquery((b, \+a), P).
query(p(_)).
