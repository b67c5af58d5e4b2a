% An atom that only supports itself is no answer.
%
% By hand: a has no proof that ends, though its rule also needs b.
%
% Expected outcome:
% q([]) : 1
% ProbLog differs: it cuts the cycle and takes what remains, b, for a proof
% Declined: findall/3 is not spoken by the tabled engine

0.5::b.
a :- b, a.
q(L) :- findall(x, a, L).
query(q(_)).
