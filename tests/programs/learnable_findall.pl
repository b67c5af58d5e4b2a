% The derivative of a count.
%
% By hand: exactly one: a (1 - b) + b (1 - a) = 0.46; by a: 1 - 2 b = 0.2; by b: 1 - 2 a = 0.4.
%
% Expected outcome:
% n(0) : 0.42
% n(1) : 0.46
% n(2) : 0.12
% Expected gradient:
% d n(1) / d p(1) : 0.2
% d n(1) / d p(2) : 0.4
% d n(0) / d p(1) : -0.6
% Declined: findall/3 is not spoken by the tabled engine

t(0.3)::p(1).
t(0.4)::p(2).
n(N) :- findall(X, p(X), L), length(L, N).
query(n(_)).
