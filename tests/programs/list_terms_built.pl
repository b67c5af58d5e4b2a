% Terms that =.. and functor/3 make are those that a program writes: one answer for both, and goals that can be called.
%
% By hand: each of the five terms is one answer, in whichever of three ways it is made; 0.3 * 0.4 = 0.12.
%
% Expected outcome:
% made(a-b) : 1
% made([a]) : 1
% made((a, b)) : 1
% made((a; b)) : 1
% made(f(a)) : 1
% both : 0.12
% name('.') : 1
% name(',') : 1
% name(;) : 1
% name(-) : 1
% name(f) : 1
% not_a : 0.7
% ProbLog differs: its =.. makes other terms of operators, lists and connectives than a program writes
% Declined: functor/3 is not spoken by the tabled engine

0.3::a.
0.4::b.
written(a-b). written([a]). written((a, b)). written((a; b)). written(f(a)).
made(X) :- written(X).
made(X) :- written(Y), Y =.. L, X =.. L.
made(X) :- written(Y), functor(Y, N, A), functor(X, N, A), X = Y.
name(N) :- written(X), functor(X, N, _).
name(N) :- written(X), X =.. [N|_].
both :- G =.. [',', a, b], call(G).
not_a :- functor(G, \+, 1), G = (\+a), call(G).
query(made(_)).
query(name(_)).
query(both).
query(not_a).
