% The sum of two handwritten numbers of any length, digit by digit.
%
% Numbers are lists of images, the least significant digit first, and are added as on paper, with a carry. The label is
% a list of digits, too, one longer than the numbers. Its digits are observed: the network `label` turns a tensor of
% digits into one-hot rows, so that one compiled circuit serves every label. The circuit grows linearly with the number
% of digits, where summing over all pairs of numbers grows exponentially.
%
% Ask for addition([x0, x1], [y0, y1], [z0, z1, z2]), where every name is an input: x0, x1, y0, y1 batches of images, z0,
% z1, z2 batches of digits. The one answer's probability is that of the labels given the images.
%
% With uniform digits and labels z every digit of the sum is as likely as its number of ways: 19 + 0 has 20 ways of
% 10,000 to be the sum of two numbers of two digits.
%
% Network mnist_net: uniform
% Network label: one-hot
% Input z0: 9
% Input z1: 1
% Input z2: 0
% Expected outcome:
% addition([x0, x1], [y0, y1], [z0, z1, z2]) : 0.002
% addition([x0], [y0], [z0, z1]) : 0
% addition([x0], [y0], [z1, z2]) : 0.02

nn(mnist_net, [X], Y, [0..9]) :: digit(X, Y).
nn(label, [K], Z, [0..9]) :: z(K, Z).

addition(Xs, Ys, Zs) :- add(Xs, Ys, 0, Zs).

add([], [], Carry, [Z]) :- z(Z, Carry).
add([X|Xs], [Y|Ys], Carry, [Z|Zs]) :-
    digit(X, X2), digit(Y, Y2), Sum is X2 + Y2 + Carry,
    Digit is Sum mod 10, z(Z, Digit),
    Next is Sum // 10, add(Xs, Ys, Next, Zs).
