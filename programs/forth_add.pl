% Learning to add as at school: a program with two holes that networks fill from examples.
%
% The sketch knows that numbers are added column by column, from the right, with a carry. What the sum of a column is,
% and what its carry, is left to two networks, which see the two digits and the carry as numbers. They are trained on
% short sums, and the program works for any length. (Bosnjak et al., "Programming with a differentiable Forth
% interpreter", ICML 2017.)
%
% Ask for add([1, 9], [0, 2], 0, [0, 2, 1]): two numbers, the carry that comes in, and a sum of one digit more.
%
% By hand, for 9 + 2: digit 1 and carry 1 are wanted, 0.9 * 0.7, and with a carry coming in nothing is known to be
% right. For 19 + 02 either carry reaches the next column: 0.9 * (0.7 * 0.8 * 0.6 + 0.3 * 0.3 * 0.5).
%
% Inputs:
% Network result_net (values): 9, 2, 0 = 0, 0.9, 0.1, 0, 0, 0, 0, 0, 0, 0; 9, 2, 1 = 0.2, 0, 0.8, 0, 0, 0, 0, 0, 0, 0
% Network result_net: 1, 0, 1 = 0, 0.2, 0.8, 0, 0, 0, 0, 0, 0, 0; 1, 0, 0 = 0, 0.7, 0.3, 0, 0, 0, 0, 0, 0, 0
% Network carry_net (values): 9, 2, 0 = 0.3, 0.7; 9, 2, 1 = 0.1, 0.9; 1, 0, 1 = 0.6, 0.4; 1, 0, 0 = 0.5, 0.5
% Expected outcome:
% add([9], [2], 0, [1, 1]) : 0.63
% add([9], [2], 1, [1, 2]) : 0.72
% add([1, 9], [0, 2], 0, [0, 2, 1]) : 0.3429

nn(result_net, [A, B, Carry], R, [0..9]) :: result(A, B, Carry, R).
nn(carry_net, [A, B, Carry], C, [0, 1]) :: carry(A, B, Carry, C).

add(As, Bs, Carry, [C|Rs]) :- columns(As, Bs, Carry, C, Rs).

% columns(As, Bs, Carry, C, Rs): the columns' digits are Rs, and C is carried out of the leftmost.
columns([], [], Carry, Carry, []).
columns([A|As], [B|Bs], Carry, C, [R|Rs]) :-
    columns(As, Bs, Carry, Middle, Rs), result(A, B, Middle, R), carry(A, B, Middle, C).
