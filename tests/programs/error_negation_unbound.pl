% The negation of a goal that is not known.
%
% Expected error: NonGroundError
% at 7:12
% says call/1 is reached while its goal is not bound; bind it before the call

q(X) :- \+ X.
query(q(_)).
