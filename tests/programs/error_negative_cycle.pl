% An atom that depends on its own negation.
%
% Expected error: NegativeCycleError
% at 8:6
% says this negation is part of a cycle
% says \+ 

a :- \+ b.
b :- \+ a.
query(a).
