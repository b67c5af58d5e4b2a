% A domain that the body binds may differ from input to input.
%
% By hand: both are cats or both are dogs, 0.4 * 0.2 + 0.6 * 0.3.
%
% Inputs: a b
% Network two: a = 0.4, 0.6
% Network three: b = 0.2, 0.3, 0.5
% Expected outcome:
% same(a, b) : 0.26
% pet(b, cow) : 0.5
% Expected gradient:
% same(a, b) / two(a) : 0.2, 0.3
% same(a, b) / three(b) : 0.4, 0.6, 0

nn(two, [X], Y, Values) :: pet(X, Y) :- small(X), domain(X, Values).
nn(three, [X], Y, Values) :: pet(X, Y) :- large(X), domain(X, Values).
small(a).
large(b).
domain(a, [cat, dog]).
domain(b, [cat, dog, cow]).
same(X, Y) :- pet(X, Z), pet(Y, Z).
