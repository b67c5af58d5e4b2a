% Burglary or earthquake: what is known narrows down what may have been.
%
% An alarm went off. Evidence in the program conditions every query; evidence={"john": True} in a call adds to it, and
% evidence={"john": tensor} differs from row to row.
%
% By hand: P(alarm) = 0.7 * 0.2 * 0.9 + 0.7 * 0.8 * 0.8 + 0.3 * 0.2 * 0.1 = 0.58, of which burglary has part in 0.574 and
% earthquake in 0.132.
%
% Expected outcome:
% burglary : 0.9896551724137931
% earthquake : 0.2275862068965517
% john : 0.8

0.7 :: burglary.
0.2 :: earthquake.

0.9 :: alarm :- burglary, earthquake.
0.8 :: alarm :- burglary, \+ earthquake.
0.1 :: alarm :- \+ burglary, earthquake.

0.8 :: john :- alarm.
0.1 :: john :- \+ alarm.

evidence(alarm, true).
query(burglary).
query(earthquake).
query(john).
