:- module(shapes, [area/2]).

% Only area/2 is seen from outside.
area(square(A), S) :- times(A, A, S).
times(A, B, C) :- C is A * B.
