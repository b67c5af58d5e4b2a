% A Python predicate that is called with a variable.
%
% Expected error: GroundingError
% at 9:9
% says invalid argument types for call to 'twice/2'
% Allow python

:- use_module('python/numbers.py').
q(X) :- twice(_, X).
query(q(_)).
