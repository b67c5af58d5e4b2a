% is/2 over choices: the sum of two dice with three faces.
%
% By hand: 1, 2, 3, 2, 1 ways of 9.
%
% Expected outcome:
% s(2) : 0.1111111111111111
% s(3) : 0.2222222222222222
% s(4) : 0.3333333333333333
% s(5) : 0.2222222222222222
% s(6) : 0.1111111111111111

1/3::d(D, 1); 1/3::d(D, 2); 1/3::d(D, 3) :- die(D).
die(a).
die(b).
s(S) :- d(a, X), d(b, Y), S is X + Y.
query(s(_)).
