% A term that would contain itself.
%
% Expected error: GroundingError
% at 7:8
% says this unification would make an infinite term

q :- X = f(X).
query(q).
