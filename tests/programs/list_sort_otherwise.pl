% Sorting as other Prolog systems have it, and the largest and the smallest of a list in either order of arguments.
%
% By hand: msort/2 keeps what occurs twice; keysort/2 and sort/4 keep the order of equal keys; @> and @< leave out later
% items with an equal key; predsort/3 leaves out what its predicate calls equal.
%
% Expected outcome:
% a([9, 9, 10, 100]) : 1
% b([2-x, 10-b, 10-a]) : 1
% c([10-b, 10-a, 2-x]) : 1
% d([2-x, 10-b]) : 1
% e([100, 10, 9]) : 1
% f([1.0, 1, b]) : 1
% g([b, 10, 9]) : 1
% h(9) : 1
% i(100) : 1
% j(9) : 1
% k([3, 20, 100]) : 1
% ProbLog differs: it has no such predicates, and its min_member/2 gives the largest
% Declined: call/4 is not spoken by the tabled engine

by_length(O, X, Y) :- X = p(L, _), Y = p(M, _), compare(O, L, M).
a(L) :- msort([10, 9, 100, 9], L).
b(L) :- keysort([10-b, 2-x, 10-a], L).
c(L) :- sort(1, @>=, [10-b, 2-x, 10-a], L).
d(L) :- sort(1, @<, [10-b, 2-x, 10-a], L).
e(L) :- sort(0, @>, [9, 10, 100, 10], L).
f(L) :- list_to_ord_set([b, 1, 1.0, 1], L).
g(L) :- list_to_set([b, 10, b, 9, 10], L).
h(X) :- min_member(X, [10, 9, 100]).
i(X) :- max_member(X, [10, 9, 100]).
j(X) :- min_member([10, 9, 100], X).
k(L) :- predsort(by_length, [p(100, x), p(3, y), p(20, z), p(3, w)], S), S = [p(A, _), p(B, _), p(C, _)], L = [A, B, C].
query(a(_)).
query(b(_)).
query(c(_)).
query(d(_)).
query(e(_)).
query(f(_)).
query(g(_)).
query(h(_)).
query(i(_)).
query(j(_)).
query(k(_)).
