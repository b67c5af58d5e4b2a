% A variable of the body tells choices apart, as in ProbLog.
%
% By hand: one choice for each Y: 1 - 0.6 * 0.6 = 0.64.
%
% Expected outcome:
% likes(ann) : 0.64

0.4::likes(X) :- knows(X, _).
knows(ann, bob).
knows(ann, carl).
query(likes(_)).
