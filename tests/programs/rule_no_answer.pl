% A query with variables that nothing proves has no answer; one without variables has probability 0.
%
% By hand: no p(X) has X > 3.
%
% Expected outcome:
% p(7) : 0
% No answer: big(_)

0.5::p(1).
0.5::p(2).
big(X) :- p(X), X > 3.
query(big(_)).
query(p(7)).
