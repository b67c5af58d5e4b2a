% select_uniform/4, select_weighted/4,5 and sample_uniform1/3 choose an item of a list.
%
% By hand: a third each; 0.2 and 0.8; two items of one sample exclude each other.
%
% Expected outcome:
% u(1) : 0.3333333333333333
% u(2) : 0.3333333333333333
% u(4) : 0.3333333333333333
% w(x) : 0.2
% w(y) : 0.8
% v(x) : 0.25
% v(y) : 0.75
% s(a) : 0.5
% s(b) : 0.5
% both : 0
% ProbLog differs: its sample_uniform1/3 with a known item forgets the other items
% Declined: 1, x as an argument is not spoken by the tabled engine

:- use_module(library(lists)).
u(X) :- select_uniform(one, [1, 2, 4], X, _).
w(X) :- select_weighted(two, [0.2, 0.8], [x, y], X, _).
v(X) :- select_weighted(three, [(1, x), (3, y)], X, _).
s(X) :- sample_uniform1(four, [a, b], X).
both :- sample_uniform1(four, [a, b], a), sample_uniform1(four, [a, b], b).
query(u(_)).
query(w(_)).
query(v(_)).
query(s(_)).
query(both).
