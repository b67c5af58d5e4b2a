% The derivative of a conditional probability.
%
% By hand: P(a given c) = a / (a + b - a b) = 0.3 / 0.58; by a: (0.58 - 0.3 * (1 - 0.4)) / 0.58^2 = 0.4 / 0.3364; by
% b: -0.3 * 0.7 / 0.3364.
%
% Expected outcome:
% a : 0.5172413793103449
% Expected log evidence: log(0.58)
% Expected gradient:
% d a / d a : 1.189060642092747
% d a / d b : -0.6242568370986920

t(0.3)::a.
t(0.4)::b.
c :- a.
c :- b.
evidence(c).
query(a).
