% A probabilistic fact for every argument there may be.
%
% Expected error: NonGroundError
% at 7:6
% says still holds a variable when it is reached

0.3::p(_).
q :- p(_).
query(q).
