% One list for every set of facts that may hold.
%
% By hand: 0.7 * 0.6 = 0.42 for none, 0.3 * 0.6, 0.7 * 0.4 and 0.3 * 0.4.
%
% Expected outcome:
% q([]) : 0.42
% q([1]) : 0.18
% q([2]) : 0.28
% q([1, 2]) : 0.12
% Declined: findall/3 is not spoken by the tabled engine

0.3::p(1).
0.4::p(2).
q(L) :- findall(X, p(X), L).
query(q(_)).
