% The probability of a learnable fact as a number.
%
% Expected error: UnsupportedConstructError
% at 8:9
% says no gradient could flow through it

t(0.3)::a.
p(P) :- subquery(a, P).
query(p(_)).
