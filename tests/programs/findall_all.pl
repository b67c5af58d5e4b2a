% all/3 collects answers and fails where there are none.
%
% By hand: as findall/3, without the empty list.
%
% Expected outcome:
% q([1]) : 0.18
% q([2]) : 0.28
% q([1, 2]) : 0.12
% Declined: all/3 is not spoken by the tabled engine

0.3::p(1).
0.4::p(2).
q(L) :- all(X, p(X), L).
query(q(_)).
