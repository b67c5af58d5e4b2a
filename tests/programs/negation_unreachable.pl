% The negation of a recursive predicate.
%
% By hand: c is reached by both edges or by the third: 1 - (1 - 0.25) * (1 - 0.2) = 0.4.
%
% Expected outcome:
% cut_off : 0.6

0.5::e(a, b).
0.5::e(b, c).
0.2::e(a, c).
path(X, Y) :- e(X, Y).
path(X, Y) :- e(X, Z), path(Z, Y).
cut_off :- \+ path(a, c).
query(cut_off).
