% Lists that are not known yet: what has an end is found, whichever argument is known.
%
% By hand: [1, 2] is cut in two in three ways, [1, 2, 3] in three in ten; a list and its reverse, or a permutation, have
% the same length; places count from 0 or 1.
%
% Expected outcome:
% parts(10) : 1
% two([],[1, 2]) : 1
% two([1],[2]) : 1
% two([1, 2],[]) : 1
% around([1],[3]) : 1
% rest([2, 3]) : 1
% mixed(a,b) : 1
% permuted([1, 2]) : 1
% permuted([2, 1]) : 1
% back([3, 2, 1]) : 1
% at(0,1,a) : 1
% at(1,2,b) : 1
% put([a, z, b]) : 1
% flat([x, y, b]) : 1
% long(p,q) : 1
% among(1) : 1
% subset : 1
% ProbLog differs: there these calls do not end, or are errors
% Declined: findall/3 is not spoken by the tabled engine

parts(N) :- findall(L, (L = [_, _, _], append(L, [1, 2, 3])), Ls), length(Ls, N).
two(X, Y) :- append([X, Y], [1, 2]).
around(X, Y) :- append([X, [2], Y], [1, 2, 3]).
rest(X) :- append([[1], X], [1, 2, 3]).
mixed(A, B) :- append([[A, B], [c]], [a, b, c]).
permuted(X) :- permutation(X, [1, 2]).
back(X) :- reverse(X, [1, 2, 3]).
at(I, J, X) :- nth0(I, [a, b], X), nth1(J, [a, b], X).
put(L) :- nth0(1, L, z, [a, b]), nth1(2, L, z, [a, b]).
flat(L) :- flatten([X, [Y, [b]]], L), X = x, Y = y.
long(X, Y) :- same_length(L, [1, 2]), L = [p, q], L = [X, Y].
among(X) :- memberchk(X, [1, 2]).
subset :- subset([2, 1], [1, 2, 3]), \+ subset([4], [1, 2, 3]).
query(parts(_)).
query(two(_, _)).
query(around(_, _)).
query(rest(_)).
query(mixed(_, _)).
query(permuted(_)).
query(back(_)).
query(at(_, _, _)).
query(put(_)).
query(flat(_)).
query(long(_, _)).
query(among(_)).
query(subset).
