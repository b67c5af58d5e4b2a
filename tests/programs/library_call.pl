% call/1 to call/N with goals of every kind.
%
% By hand: 0.3; conjunction 0.3 * 0.5; disjunction 1 - 0.7 * 0.5; negation 0.7.
%
% Expected outcome:
% a : 0.3
% b : 0.15
% c : 0.65
% d : 0.7
% e(3) : 1
% f(1) : 0.3
% f(2) : 0.5
% ProbLog differs: its call/1 takes no conjunctions
% Declined: call/1 is not spoken by the tabled engine

0.3::x.
0.5::y.
a :- call(x).
b :- call((x, y)).
c :- call((x ; y)).
d :- G = x, call(\+ G).
e(Z) :- call(plus(1), 2, Z).
f(N) :- call((x, N = 1 ; y, N = 2)).
query(a).
query(b).
query(c).
query(d).
query(e(_)).
query(f(_)).
