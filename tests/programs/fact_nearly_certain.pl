% What is left of a fact that is nearly certain is not rounded away.
%
% By hand: 1 - 0.99999904632568359375 = 2^-20 = 0.00000095367431640625, in binary without rounding.
%
% Expected outcome:
% fails : 9.5367431640625e-07
% ProbLog differs: it rounds numbers to 15 decimals

0.99999904632568359375::a.
fails :- \+ a.
query(fails).
