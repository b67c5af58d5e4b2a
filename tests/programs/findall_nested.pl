% findall/3 inside findall/3.
%
% By hand: 3 is listed where x holds.
%
% Expected outcome:
% q([1, 2]) : 0.7
% q([1, 2, 3]) : 0.3
% Declined: findall/3 is not spoken by the tabled engine

0.3::x.
v(1).
v(2).
v(3) :- x.
q(L) :- findall(X, one_of(X), L).
one_of(X) :- findall(Y, v(Y), M), in(X, M).
in(X, [X|_]).
in(X, [_|T]) :- in(X, T).
query(q(_)).
