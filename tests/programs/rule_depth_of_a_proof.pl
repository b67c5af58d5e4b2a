% A meta-predicate that counts the steps of a proof.
%
% By hand: red is 0 steps, green 1, blue 2.
%
% Expected outcome:
% blue(bob) : 0.5
% depth(2) : 0.5

0.5::red(bob).
green(X) :- red(X).
blue(X) :- green(X).
steps(red(X), 0) :- red(X).
steps(green(X), N) :- steps(red(X), M), N is M + 1.
steps(blue(X), N) :- steps(green(X), M), N is M + 1.
depth(N) :- steps(blue(bob), N).
query(blue(bob)).
query(depth(_)).
