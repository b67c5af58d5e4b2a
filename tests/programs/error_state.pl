% Predicates that ProbLog lists and cannot carry out.
%
% Expected error: UnsupportedConstructError
% at 7:6
% says set_state/1 does not work in ProbLog 2.3 either

a :- set_state(x), b.
b.
query(a).
