% library(control): the first rule of a list that holds, and what to do if none does.
%
% By hand: 1 fails with 0.7; on_fail answers where a does not hold.
%
% Expected outcome:
% r(two) : 0.7
% r(one) : 0.3
% backup : 0.7
% Declined: call/1 is not spoken by the tabled engine

:- use_module(library(control)).
0.3::a.
rule(1, one) :- a.
rule(2, two).
r(X) :- cut(rule(X), [1, 2]).
default :- \+ a.
backup :- on_fail(fail, default).
query(r(_)).
query(backup).
