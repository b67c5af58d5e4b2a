% A tensor that a function of tensors computes is a rule's probability.
%
% By hand: the two vectors are log 2 apart, in the direction (0.6, 0.8), and exp(-log 2) is 0.5, which falls by half
% of what they move apart.
%
% Inputs: a b
% Network encoder: a = 0.0, 0.0; b = 0.41588830833596718, 0.55451774444795623
% Expected outcome:
% similar(a, b) : 0.5
% both(a, b) : 0.25
% Expected gradient:
% similar(a, b) / encoder(a) : 0.3, 0.4
% similar(a, b) / encoder(b) : -0.3, -0.4
% both(a, b) / encoder(b) : -0.15, -0.2

nn(encoder, [X], E) :: embed(X, E).
P :: similar(X, Y) :- embed(X, A), embed(Y, B), rbf(A, B, P).
0.5 :: awake.
both(X, Y) :- awake, similar(X, Y).
