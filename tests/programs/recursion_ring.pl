% Infection in a ring of three, over edges that go both ways.
%
% By hand: 1 and 2 are connected directly (0.4) or through 3 (0.16): 1 - 0.6 * 0.84 = 0.496; the source is ill with
% 0.5: 0.248.
%
% Expected outcome:
% ill(2) : 0.248
% ill(3) : 0.248

0.4::edge(1, 2).
0.4::edge(2, 3).
0.4::edge(3, 1).
link(X, Y) :- edge(X, Y) ; edge(Y, X).
0.5::source(1).
ill(X) :- source(X).
ill(X) :- link(X, Y), ill(Y).
query(ill(2)).
query(ill(3)).
