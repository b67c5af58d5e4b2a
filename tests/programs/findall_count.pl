% The number of coins that show heads.
%
% By hand: the binomial distribution of three fair coins.
%
% Expected outcome:
% heads(0) : 0.125
% heads(1) : 0.375
% heads(2) : 0.375
% heads(3) : 0.125
% Declined: findall/3 is not spoken by the tabled engine

0.5::coin(C) :- between(1, 3, C).
heads(N) :- findall(C, coin(C), L), length(L, N).
query(heads(_)).
