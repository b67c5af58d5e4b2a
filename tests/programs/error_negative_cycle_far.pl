% A cycle through a negation, by way of three predicates.
%
% Expected error: NegativeCycleError
% at 9:9
% says this negation is part of a cycle, so the program has no single two-val

p(X) :- q(X).
q(X) :- r(X).
r(X) :- \+ p(X).
query(p(1)).
