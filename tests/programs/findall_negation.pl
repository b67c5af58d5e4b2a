% A negation inside findall/3.
%
% By hand: 1 is left out where r(1) holds: 0.3.
%
% Expected outcome:
% q([2]) : 0.3
% q([1, 2]) : 0.7
% Declined: findall/3 is not spoken by the tabled engine

p(1).
p(2).
0.3::r(1).
q(L) :- findall(X, (p(X), \+ r(X)), M), sort(M, L).
query(q(_)).
