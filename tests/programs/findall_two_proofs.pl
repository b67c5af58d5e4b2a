% findall/3 lists an answer once a proof, as in Prolog.
%
% By hand: neither proof 0.25, one of them 0.5, both 0.25.
%
% Expected outcome:
% q([]) : 0.25
% q([1]) : 0.5
% q([1, 1]) : 0.25
% Declined: findall/3 is not spoken by the tabled engine

0.5::a.
0.5::b.
p(1) :- a.
p(1) :- b.
q(L) :- findall(X, p(X), L).
query(q(_)).
