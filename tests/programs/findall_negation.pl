% A negation inside findall/3.
%
% By hand: 1 is left out where r(1) holds: 0.3.
%
% Expected outcome:
% q([2]) : 0.3
% q([1, 2]) : 0.7

p(1).
p(2).
0.3::r(1).
q(L) :- findall(X, (p(X), \+ r(X)), M), sort(M, L).
query(q(_)).
