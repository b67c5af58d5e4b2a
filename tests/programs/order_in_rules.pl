% A rule about unordered pairs: each pair once, by the standard order of numbers.
%
% By hand: 0.5 * (two here) = 0.5 * 0.25 a pair, for 2-9, 2-10 and 9-10; the first two of the sorted list are here in
% the worlds in which they are and no smaller one is.
%
% Expected outcome:
% knows(2,9) : 0.125
% knows(2,10) : 0.125
% knows(9,10) : 0.125
% least(2) : 0.5
% least(9) : 0.25
% least(10) : 0.125
% ProbLog differs: it compares 9 and 10 as text
% Declined: findall/3 is not spoken by the tabled engine

0.5::here(10).
0.5::here(9).
0.5::here(2).
0.5::knows(A, B) :- here(A), here(B), A @< B.
least(X) :- findall(Y, here(Y), L), sort(L, [X|_]).
query(knows(_, _)).
query(least(_)).
