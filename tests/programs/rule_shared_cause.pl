% Two consequences of one cause are not independent.
%
% By hand: b and c hold where a does and their own choices do: 0.5 * 0.6 * 0.4 = 0.12, not 0.3 * 0.2.
%
% Expected outcome:
% both : 0.12

0.5::a.
0.6::b :- a.
0.4::c :- a.
both :- b, c.
query(both).
