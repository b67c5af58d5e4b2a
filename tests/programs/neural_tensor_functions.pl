% Functions of tensors: the mean of two, and the sigmoid of a third.
%
% By hand: the mean of 0.2 and 0.6 is 0.4; sigmoid(0) is 0.5, with derivative 0.25.
%
% Inputs: a b c
% Network encoder: a = 0.2; b = 0.6; c = 0.0
% Expected outcome:
% vote(a, b) : 0.4
% score(c) : 0.5
% elected(a, b, c) : 0.2
% Expected gradient:
% vote(a, b) / encoder(a) : 0.5
% score(c) / encoder(c) : 0.25
% elected(a, b, c) / encoder(b) : 0.25
% elected(a, b, c) / encoder(c) : 0.1

nn(encoder, [X], E) :: embed(X, E).
P :: vote(X, Y) :- embed(X, A), embed(Y, B), mean([A, B], P).
P :: score(X) :- embed(X, A), sigmoid(A, P).
elected(X, Y, Z) :- vote(X, Y), score(Z).
