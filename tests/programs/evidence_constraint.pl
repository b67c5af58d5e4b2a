% Evidence as a constraint: two do not sit on one chair.
%
% By hand: x on 1 and y on 2 has 0.3, x on 2 and y on 1 has 0.2, of 0.5.
%
% Expected outcome:
% seat(x,1) : 0.6
% seat(y,1) : 0.4
% Expected log evidence: log(0.5)

0.6::seat(x, 1); 0.4::seat(x, 2).
0.5::seat(y, 1); 0.5::seat(y, 2).
clash :- seat(A, N), seat(B, N), A @< B.
evidence(clash, false).
query(seat(x, 1)).
query(seat(y, 1)).
