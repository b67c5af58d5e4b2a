% :- unknown(fail) lets goals without clauses fail.
%
% By hand: nowhere fails.
%
% Expected outcome:
% a : 1
% Declined: nowhere/0 has no clauses

:- unknown(fail).
a :- \+ nowhere.
query(a).
