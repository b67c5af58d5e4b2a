% library(apply): maplist, include, exclude, partition, foldl, scanl, convlist.
%
% By hand: each on [1,2,3].
%
% Expected outcome:
% a([2, 3, 4]) : 1
% b([2, 3]) : 1
% c([1]) : 1
% d([2, 3],[1]) : 1
% e(6) : 1
% f([1, 3, 6]) : 1
% g([2, 3]) : 1
% h([1],[2],[3]) : 1
% i(6) : 1
% Declined: call/3 is not spoken by the tabled engine

:- use_module(library(apply)).
gt(X) :- X > 1.
side(X, <) :- X < 2.
side(2, =).
side(X, >) :- X > 2.
next(X, Y) :- X < 3, Y is X + 1.
a(L) :- maplist(plus(1), [1, 2, 3], L).
b(L) :- include(gt, [1, 2, 3], L).
c(L) :- exclude(gt, [1, 2, 3], L).
d(L, M) :- partition(gt, [1, 2, 3], L, M).
e(S) :- foldl(plus, [1, 2, 3], 0, S).
f(L) :- scanl(plus, [1, 2, 3], 0, L).
g(L) :- convlist(next, [1, 2, 3], L).
h(L, M, N) :- partition(side, [1, 2, 3], L, M, N).
i(S) :- foldl_noinit(plus, [1, 2, 3], S).
query(a(_)).
query(b(_)).
query(c(_)).
query(d(_, _)).
query(e(_)).
query(f(_)).
query(g(_)).
query(h(_, _, _)).
query(i(_)).
