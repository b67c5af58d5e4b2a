% A negation that guards a recursion, or a goal that needs what it excludes, inside findall/3.
%
% By hand: the list counts down to 1; atoms are left as they are, numbers are added to; two of the six orders of 1, 2
% and 3 rise at first and fall then; with x, [1, 2] has two orders.
%
% Expected outcome:
% down([[3, 2, 1]]) : 1
% sums([a, 2]) : 1
% peaks(2) : 1
% orders([[1, 2], [2, 1]]) : 0.4
% orders([]) : 0.6
% twice([1]) : 1
% all_small([1]) : 1
% linked([b]) : 1
% linked_maybe([b]) : 0.5
% linked_maybe([b, c]) : 0.5
% ProbLog differs: inside findall/3 it goes on after a negation that fails for certain
% Declined: findall/3 is not spoken by the tabled engine

:- use_module(library(lists)).
count(0, []).
count(N, [N|L]) :- \+ N = 0, M is N - 1, count(M, L).
down(L) :- findall(X, count(3, X), L).

more(X, X) :- atom(X).
more(X, Y) :- \+ atom(X), Y is X + 1.
sums(L) :- findall(Y, (item(X), more(X, Y)), L).
item(a).
item(1).

peak(L) :- permutation([1, 2, 3], L), L = [A, B, C], A < B, C < B.
peaks(N) :- findall(L, peak(L), All), length(All, N).

0.4::x.
orders(L) :- findall(O, (x, permutation([1, 2], O)), L).

% What no clause proves is certain, too.
twice(L) :- findall(1, (\+ \+ item(a), \+ missing(a) ; \+ \+ missing(a), 1 < foo), L).
all_small(L) :- findall(1, (forall(item(X), small(X)) ; \+ forall(item(X), small(X)), 1 < foo), L).
missing(b).
small(a).
small(1).

% Reachability along a cycle is certain, and so is its negation.
edge(a, b).
edge(b, a).
0.5::open.
edge(b, c) :- open.
reach(X, Y) :- edge(X, Y).
reach(X, Y) :- reach(X, Z), edge(Z, Y).
linked(L) :- findall(b, (reach(a, b) ; \+ reach(a, b), 1 < foo), M), sort(M, L).
linked_maybe(L) :- findall(Y, (goal(Y), \+ \+ reach(a, Y)), L).
goal(b).
goal(c).
query(down(_)).
query(sums(_)).
query(peaks(_)).
query(orders(_)).
query(twice(_)).
query(all_small(_)).
query(linked(_)).
query(linked_maybe(_)).
