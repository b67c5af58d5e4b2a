% Learning to sort: bubble sort whose comparison is a hole that a network fills from examples.
%
% The sketch knows how bubble sort walks through a list; when to swap two neighbours is left to a network, which sees
% two numbers. It is trained on short lists and their sorted versions. (Bosnjak et al., "Programming with a
% differentiable Forth interpreter", ICML 2017.)
%
% Ask for forth_sort([3, 1, 2], [1, 2, 3]).
%
% By hand, for [2, 1]: swap, with 0.9. For [3, 1, 2]: 3 is carried past 1 and 2, 0.8 * 0.7, and then 1 and 2 keep their
% places, 0.6, or not, 0.4. Equal numbers may swap or not.
%
% Inputs:
% Network swap_net (values): 2, 1 = 0.9; 3, 1 = 0.8; 3, 2 = 0.7; 1, 2 = 0.4; 5, 5 = 0.3
% Expected outcome:
% forth_sort([2, 1], [1, 2]) : 0.9
% forth_sort([5, 5], [5, 5]) : 1
% forth_sort([3, 1, 2], [1, 2, 3]) : 0.336
% forth_sort([3, 1, 2], [2, 1, 3]) : 0.224
% forth_sort([], []) : 1

nn(swap_net, [X, Y]) :: swap(X, Y).

forth_sort([], []).
forth_sort([X|Xs], Sorted) :-
    bubble([X|Xs], Rest, Last), forth_sort(Rest, Front), append(Front, [Last], Sorted).

% bubble(List, Rest, Last): one walk through a list carries one of its numbers to the end.
bubble([X], [], X).
bubble([X, Y|Zs], [First|Rest], Last) :- ordered(X, Y, First, Second), bubble([Second|Zs], Rest, Last).

ordered(X, Y, Y, X) :- swap(X, Y).
ordered(X, Y, X, Y) :- \+ swap(X, Y).
