% library(cut): the first rule that holds, by its number.
%
% By hand: rule 1 where a holds (0.3), else rule 2.
%
% Expected outcome:
% r(one) : 0.3
% r(two) : 0.7
% Declined: all/3 is not spoken by the tabled engine

:- use_module(library(cut)).
0.3::a.
rule(1, one) :- a.
rule(2, two).
r(X) :- cut(rule(X)).
query(r(_)).
