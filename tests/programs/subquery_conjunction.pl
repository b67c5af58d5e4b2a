% The probability of a con- or disjunction as a number, also negated and as evidence.
%
% By hand: 0.3 * 0.4; 1 - 0.7 * 0.6; 1 - 0.12; given a or b, 0.3 / 0.58; given not both, 0.7 / 0.88.
%
% Expected outcome:
% both(0.12) : 1
% either(0.58) : 1
% not_both(0.88) : 1
% given_either : 1
% given_not_both : 1
% ProbLog differs: it looks for clauses of ,/2
% Declined: subquery/2 is not spoken by the tabled engine

0.3::a.
0.4::b.
both(P) :- subquery((a, b), P).
either(P) :- subquery((a; b), P).
not_both(P) :- subquery(\+(a, b), P).
given_either :- subquery(a, P, [(a; b)]), abs(P - 0.3 / 0.58) < 1.0e-9.
given_not_both :- subquery(\+a, P, [\+(a, b)]), abs(P - 0.7 / 0.88) < 1.0e-9.
query(both(_)).
query(either(_)).
query(not_both(_)).
query(given_either).
query(given_not_both).
