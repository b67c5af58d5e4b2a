% A learnable fact starts where t says; the derivative of P(win) by it.
%
% By hand: win = 0.3 * 0.4, so that d win / d a = 0.4.
%
% Expected outcome:
% win : 0.12
% Expected gradient:
% d win / d a : 0.4

t(0.3)::a.
0.4::b.
win :- a, b.
query(win).
