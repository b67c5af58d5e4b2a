% Sums of two handwritten digits, some of whose labels are noise.
%
% Either a label is noise, and any sum is as likely as any other, or it is the sum. How often it is noise is learnt along
% with the digits: t(0.2) is a parameter of the model that starts at 0.2, and model.learned_program() tells what it came
% to.
%
% By hand: P(3) = 0.2 / 19 + 0.8 * 0.04.
%
% Network mnist_net: uniform
% Expected outcome:
% addition(a, b, 3) : 0.042526315789473684
% addition(a, b, 18) : 0.018526315789473684

nn(mnist_net, [X], Y, [0..9]) :: digit(X, Y).

t(0.2) :: noise(X, Y).
1/19 :: uniform(X, Y, 0); 1/19 :: uniform(X, Y, 1); 1/19 :: uniform(X, Y, 2); 1/19 :: uniform(X, Y, 3);
1/19 :: uniform(X, Y, 4); 1/19 :: uniform(X, Y, 5); 1/19 :: uniform(X, Y, 6); 1/19 :: uniform(X, Y, 7);
1/19 :: uniform(X, Y, 8); 1/19 :: uniform(X, Y, 9); 1/19 :: uniform(X, Y, 10); 1/19 :: uniform(X, Y, 11);
1/19 :: uniform(X, Y, 12); 1/19 :: uniform(X, Y, 13); 1/19 :: uniform(X, Y, 14); 1/19 :: uniform(X, Y, 15);
1/19 :: uniform(X, Y, 16); 1/19 :: uniform(X, Y, 17); 1/19 :: uniform(X, Y, 18).

addition(X, Y, Z) :- noise(X, Y), uniform(X, Y, Z).
addition(X, Y, Z) :- \+ noise(X, Y), digit(X, X2), digit(Y, Y2), Z is X2 + Y2.
