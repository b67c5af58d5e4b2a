% A Python predicate that is called with a variable.
%
% Expected error: GroundingError
% at 9:9
% says argument 1 of twice/2 is not bound when it is reached; it must be an integer
% Allow python

:- use_module('python/numbers.py').
q(X) :- twice(_, X).
query(q(_)).
