% A variable as goal, bound before it is called.
%
% By hand: a holds where b does: 0.3; the negation 0.7.
%
% Expected outcome:
% a : 0.3
% c : 0.7
% Declined: call/1 is not spoken by the tabled engine

0.3::b.
a :- X = b, X.
c :- X = b, \+ X.
query(a).
query(c).
