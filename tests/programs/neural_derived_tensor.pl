% nn/3: a network's output is a tensor that another network takes.
%
% By hand: the inner product of (1, 2) and (0.5, -1) is -1.5, whose sigmoid p is 0.182; the derivatives are p (1 - p)
% times the other vector, 0.149 * (0.5, -1) and 0.149 * (1, 2).
%
% Inputs: a b
% Network encoder: a = 1.0, 2.0; b = 0.5, -1.0
% Network compare: dot
% Expected outcome:
% twins(a, b) : 0.18242552380635635
% Expected gradient:
% twins(a, b) / encoder(a) : 0.07457322603516643, -0.14914645207033286
% twins(a, b) / encoder(b) : 0.14914645207033286, 0.2982929041406657

nn(encoder, [X], E) :: embed(X, E).
nn(compare, [E, F]) :: alike(E, F).
twins(X, Y) :- embed(X, E), embed(Y, F), alike(E, F).
