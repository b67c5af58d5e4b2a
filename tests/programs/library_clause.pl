% clause/2 reads the program.
%
% By hand: p has a fact and a rule.
%
% Expected outcome:
% body(true) : 1
% rule(r(2)) : 1
% Declined: clause/2 is not spoken by the tabled engine

p(1).
p(2) :- r(2).
r(2).
body(B) :- clause(p(1), B), B = true.
rule(B) :- clause(p(2), B), B \= true.
query(body(_)).
query(rule(_)).
