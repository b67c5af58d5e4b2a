% Probabilities far below the smallest fraction that ProbLog keeps.
%
% By hand: 1e-150 * 1e-150 = 1e-300.
%
% Expected outcome:
% a : 1e-150
% both : 1e-300
% ProbLog differs: it rounds numbers to 15 decimals

1e-150::a.
1e-150::b.
both :- a, b.
query(a).
query(both).
