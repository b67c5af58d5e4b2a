% Arithmetic with a variable that has no value yet.
%
% Expected error: GroundingError
% at 7:11
% says invalid argument types for call to 'is/2': arguments: (_, _+1)

q(X) :- X is Y + 1, Y = 2.
query(q(_)).
