% error/1: a message of the program's own.
%
% Expected error: GroundingError
% at 8:13
% says no such colour

c(red).
check(C) :- error('no such colour: ', C).
query(check(blue)).
