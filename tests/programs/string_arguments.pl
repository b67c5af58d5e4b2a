% Texts as arguments are no atoms, whatever stands in them.
%
% By hand: 0.4; 0.3; an atom of the same letters is another term.
%
% Expected outcome:
% found(1) : 0.4
% found("two words") : 0.3
% same : 0

0.4::says("a, b. c(d)", 1).
0.3::says("it's", "two words").
found(X) :- says("a, b. c(d)", X).
found(X) :- says("it's", X).
same :- says('a, b. c(d)', _).
query(found(_)).
query(same).
