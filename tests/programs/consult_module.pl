% A module of one's own shows what it exports.
%
% By hand: 3 * 3, where the side is 3.
%
% Expected outcome:
% a(9) : 0.5

:- use_module('consulted/module.pl').
0.5::side(3).
a(S) :- side(A), area(square(A), S).
times(_, _, 0).
query(a(_)).
