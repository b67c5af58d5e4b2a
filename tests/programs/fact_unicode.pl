% Names in other scripts: as they are where they have a case, in quotes elsewhere.
%
% By hand: both = 0.3 * 0.5 = 0.15.
%
% Expected outcome:
% été : 0.3
% '日本' : 0.5
% both : 0.15

0.3::été.
0.5::'日本'.
both :- été, '日本'.
query(été).
query('日本').
query(both).
