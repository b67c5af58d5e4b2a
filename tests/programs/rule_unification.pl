% Structures and lists in heads.
%
% By hand: first(a) needs p([a,b]), second(b) the same: 0.3.
%
% Expected outcome:
% first(a) : 0.3
% second(b) : 0.3
% pair(f(a,b)) : 0.3

0.3::p([a, b]).
first(X) :- p([X|_]).
second(Y) :- p([_, Y]).
pair(f(X, Y)) :- p([X, Y]).
query(first(_)).
query(second(_)).
query(pair(f(_, _))).
