% An annotated disjunction is one choice of several.
%
% By hand: three of six faces are even: 0.5.
%
% Expected outcome:
% even : 0.5
% die(6) : 0.16666666666666666

1/6::die(1); 1/6::die(2); 1/6::die(3); 1/6::die(4); 1/6::die(5); 1/6::die(6).
even :- die(X), 0 is X mod 2.
query(even).
query(die(6)).
