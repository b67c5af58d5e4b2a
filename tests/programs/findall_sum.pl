% The sum of the values that hold.
%
% By hand: 0, 1, 2 and 1 + 2, each with 0.5 * 0.5.
%
% Expected outcome:
% total(0) : 0.25
% total(1) : 0.25
% total(2) : 0.25
% total(3) : 0.25
% Declined: findall/3 is not spoken by the tabled engine

:- use_module(library(lists)).
0.5::v(1).
0.5::v(2).
total(S) :- findall(X, v(X), L), sum_list(L, S).
query(total(_)).
