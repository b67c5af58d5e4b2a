% A query that negates a conjunction.
%
% Expected error: GroundingError
% at 9:7
% says query(\+((a, b))): give a, b a name by a rule, such as p :- a, b

a.
b.
query(\+ (a, b)).
