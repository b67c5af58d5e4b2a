% Word algebra problems: which numbers of a question to add, subtract, multiply or divide is read from its text.
%
% Every question has three numbers and an answer that two operations come to. One network encodes the text as a tensor;
% four others read from it in which order the numbers are used, the first operation, whether the second one swaps its
% arguments, and the second operation. All that is known of a question is its answer. (Roy and Roth, EMNLP 2015; the
% sketch of Bosnjak et al., ICML 2017, has the same holes.)
%
% Ask for wap("Ann had 3 plums and got 2 more. She ate 1.", [3, 2, 1], 4).
%
% By hand: all 6 * 4 * 2 * 4 readings are equally likely, so 192 times a probability is how many have the answer. With
% the numbers 1, 1, 1 every order is alike: 3 is 1 + 1 + 1, whatever is swapped, 12 readings; -1 is (1 - 1) - 1 or 1 -
% (1 + 1), 6 and 6. Of 3, 2, 1, only (2 + 1) * 3 is 9, in 4 readings. A division that leaves a remainder has no answer.
%
% Inputs:
% Network encoder (values): "three ones" = 1.0, 0.0; "many" = 0.0, 1.0
% Network order_net: uniform 6
% Network first_net: uniform 4
% Network swap_net: constant 0.5
% Network second_net: uniform 4
% Expected outcome:
% wap("three ones", [1, 1, 1], 3) : 0.0625
% wap("three ones", [1, 1, 1], -1) : 0.0625
% wap("many", [3, 2, 1], 9) : 0.020833333333333332

nn(encoder, [Text], E) :: encoded(Text, E).
nn(order_net, [E], O, [0..5]) :: order(E, O).
nn(first_net, [E], Op, [+, -, *, /]) :: first(E, Op).
nn(swap_net, [E]) :: swapped(E).
nn(second_net, [E], Op, [+, -, *, /]) :: second(E, Op).

wap(Text, Numbers, Answer) :-
    encoded(Text, E),
    order(E, O), arranged(O, Numbers, [A, B, C]),
    first(E, Op1), operation(Op1, A, B, Middle),
    arguments(E, Middle, C, X, Y),
    second(E, Op2), operation(Op2, X, Y, Answer).

arranged(0, [A, B, C], [A, B, C]).
arranged(1, [A, B, C], [A, C, B]).
arranged(2, [A, B, C], [B, A, C]).
arranged(3, [A, B, C], [B, C, A]).
arranged(4, [A, B, C], [C, A, B]).
arranged(5, [A, B, C], [C, B, A]).

arguments(E, X, Y, X, Y) :- \+ swapped(E).
arguments(E, X, Y, Y, X) :- swapped(E).

operation(+, X, Y, Z) :- Z is X + Y.
operation(-, X, Y, Z) :- Z is X - Y.
operation(*, X, Y, Z) :- Z is X * Y.
operation(/, X, Y, Z) :- Y =\= 0, 0 =:= X mod Y, Z is X // Y.
