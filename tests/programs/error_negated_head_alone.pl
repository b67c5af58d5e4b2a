% A predicate that clauses deny and none states: its name is the program's.
%
% Expected error: UnknownPredicateError
% at 9:8
% says no clauses for b/1 but those that deny it; state what makes it hold

c(1).
c(2).
0.4::\+b(X) :- c(X).
query(b(_)).
