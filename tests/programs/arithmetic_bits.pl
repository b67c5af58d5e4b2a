% Bits and large integers.
%
% By hand: 1 << 3 = 8, 6 and 3 = 2, 6 or 3 = 7, 6 xor 3 = 5, 2^70.
%
% Expected outcome:
% v(8) : 1
% v(2) : 1
% v(7) : 1
% v(5) : 1
% big(1180591620717411303424) : 1

v(X) :- X is 1 << 3.
v(X) :- X is 6 /\ 3.
v(X) :- X is 6 \/ 3.
v(X) :- X is xor(6, 3).
big(X) :- X is 2 ** 70.
query(v(_)).
query(big(_)).
