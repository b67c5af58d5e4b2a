% Numbers that are computed name what they are numbers of.
%
% By hand: 4 / 2 is 2.0, 5 / 2 is 2.5; two independent doors.
%
% Expected outcome:
% number(4,2.0) : 1
% open(2.0) : 0.5
% open(2.5) : 0.5
% both : 0.25

door(4). door(5).
number(D, N) :- N is D / 2.
0.5::open(N) :- door(D), number(D, N).
both :- open(2.0), open(2.5).
query(number(4, _)).
query(open(_)).
query(both).
