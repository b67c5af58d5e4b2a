% An answer that is certain may hold a variable; it is printed as _.
%
% By hand: p(_) holds for every argument.
%
% Expected outcome:
% p(_) : 1
% q(f(A,A,_)) : 1
% ProbLog differs: it refuses answers with variables
% Declined: an answer holds for all values of a variable

p(_).
q(f(X, X, _)).
query(p(_)).
query(q(_)).
