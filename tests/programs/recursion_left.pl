% Left recursion ends, since goals are tabled.
%
% By hand: 0.5 * 0.5 = 0.25.
%
% Expected outcome:
% p(a,b) : 0.5
% p(a,c) : 0.25

0.5::e(a, b).
0.5::e(b, c).
p(X, Y) :- p(X, Z), e(Z, Y).
p(X, Y) :- e(X, Y).
query(p(a, _)).
