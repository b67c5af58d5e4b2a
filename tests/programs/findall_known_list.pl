% A list that is given, and a part of it.
%
% By hand: only p(1): 0.3 * 0.6 = 0.18; 2 alone 0.28; both 0.12.
%
% Expected outcome:
% only : 0.18
% starts(1) : 0.3
% starts(2) : 0.28
% Declined: findall/3 is not spoken by the tabled engine

0.3::p(1).
0.4::p(2).
only :- findall(X, p(X), [1]).
starts(X) :- findall(Y, p(Y), [X|_]).
query(only).
query(starts(_)).
