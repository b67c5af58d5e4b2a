% A number is no goal.
%
% Expected error: UnsupportedConstructError
% at 7:12
% says 3 is a number, and no goal that can hold or not

a(X) :- \+ 3, X = 1.
query(a(_)).
