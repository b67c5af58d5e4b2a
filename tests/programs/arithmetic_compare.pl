% Comparison is of numbers, not of texts.
%
% By hand: 10 > 9, 1 =:= 1.0, but 1 and 1.0 are two terms.
%
% Expected outcome:
% a : 1
% b : 1
% c : 0
% d : 1
% e : 1

a :- 10 > 9, 9 < 10, 3 =< 3, 3 >= 3.
b :- 1 =:= 1.0, 1 =\= 2.
c :- 1 = 1.0.
d :- 1 \== 1.0.
e :- 2 + 3 =:= 10 / 2.
query(a).
query(b).
query(c).
query(d).
query(e).
