% Functions of is/2.
%
% By hand: 7 // 2 = 3, -7 mod 3 = 2, 2 ** 10 = 1024, max, min, abs, and so on.
%
% Expected outcome:
% v(1,3) : 1
% v(2,2) : 1
% v(3,1024) : 1
% v(4,5) : 1
% v(5,2) : 1
% v(6,7) : 1
% v(7,3.0) : 1
% v(8,2) : 1
% v(9,0.5) : 1
% v(10,3) : 1

v(1, X) :- X is 7 // 2.
v(2, X) :- X is -7 mod 3.
v(3, X) :- X is 2 ** 10.
v(4, X) :- X is max(2, 5).
v(5, X) :- X is min(2, 5).
v(6, X) :- X is abs(-7).
v(7, X) :- X is sqrt(9).
v(8, X) :- X is truncate(2.7).
v(9, X) :- X is 1 / 2.
v(10, X) :- X is round(2.7).
query(v(_, _)).
