% Symbols as arguments of a network are vectors of the model's own.
%
% By hand: the inner product of (1, 0) and (0.5, 2) is 0.5, whose sigmoid p is 0.622; p (1 - p) is 0.235, times the
% other vector.
%
% Inputs:
% Embedding way: up = 1.0, 0.0; down = 0.5, 2.0
% Network net: dot
% Expected outcome:
% near(up, down) : 0.6224593312018546
% Expected gradient:
% near(up, down) / way(up) : 0.11750185610079725, 0.470007424403189
% near(up, down) / way(down) : 0.2350037122015945, 0

nn(net, [R, S]) :: near(R, S).
