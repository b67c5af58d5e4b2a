% :- unknown(fail) lets goals without clauses fail.
%
% By hand: nowhere fails.
%
% Expected outcome:
% a : 1

:- unknown(fail).
a :- \+ nowhere.
query(a).
