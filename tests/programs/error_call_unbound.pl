% A goal that is still a variable.
%
% Expected error: NonGroundError
% at 7:9
% says call/1 is reached while its goal is not bound

q(X) :- call(X), X = a.
a.
query(q(_)).
