% A Python predicate that raises an exception.
%
% Expected error: GroundingError
% at 9:9
% says the Python function for reciprocal(0,_) raised ZeroDivisionError:
% Allow python

:- use_module('python/numbers.py').
q(X) :- reciprocal(0, X).
query(q(_)).
