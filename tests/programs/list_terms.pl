% Terms taken apart and put together.
%
% By hand: f(a,b) is f with two arguments.
%
% Expected outcome:
% a([f, a, b]) : 0.5
% b(g(1)) : 1
% c(f,2) : 1
% d(b) : 1
% e(h(x,y)) : 1
% ProbLog differs: its functor/3 and arg/3 lose what a variable of a term is bound to
% Declined: functor/3 is not spoken by the tabled engine

0.5::p(f(a, b)).
a(L) :- p(T), T =.. L.
b(T) :- T =.. [g, 1].
c(N, A) :- functor(f(a, b), N, A).
d(X) :- arg(2, f(a, b), X).
query(a(_)).
query(b(_)).
query(c(_, _)).
query(d(_)).
e(T) :- functor(T, h, 2), arg(1, T, x), arg(2, T, y).
query(e(_)).
