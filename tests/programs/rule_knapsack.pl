% Probabilities that a body computes, and sums over a list of choices.
%
% By hand: a is taken with 1/2, b with 1/4. More than 3: b is taken. More than 1: not neither.
%
% Expected outcome:
% over(3) : 0.25
% over(1) : 0.625

weight(a, 2). weight(b, 4).
P::take(I) :- weight(I, W), P is 1.0 / W.
total([], S, S).
total([I|R], A, S) :- take(I), weight(I, W), B is A + W, total(R, B, S).
total([I|R], A, S) :- \+ take(I), total(R, A, S).
over(Most) :- total([a, b], 0, S), S > Most.
query(over(3)).
query(over(1)).
