% Evidence changes what is likely: explaining away.
%
% By hand: P(alarm) = 1 - 0.9 * 0.8 = 0.28; burglary = 0.1 / 0.28; earthquake = 0.2 / 0.28.
%
% Expected outcome:
% burglary : 0.35714285714285715
% earthquake : 0.7142857142857143
% Expected log evidence: log(0.28)

0.1::burglary.
0.2::earthquake.
alarm :- burglary.
alarm :- earthquake.
evidence(alarm).
query(burglary).
query(earthquake).
