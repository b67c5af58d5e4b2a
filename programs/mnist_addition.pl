% The sum of two handwritten digits.
%
% One network reads a digit from an image; the program says what the sum of two digits is. Trained on pairs of images with
% nothing but their sum as label, the network learns the digits. This is the classic first example of DeepProbLog
% (Manhaeve et al., NeurIPS 2018).
%
% Ask for addition(a, b, S), where a and b name two batches of images: there are 19 answers, S = 0 … 18, in one circuit.
%
% Network mnist_net: uniform
% Expected outcome:
% addition(a, b, 0) : 0.01
% addition(a, b, 3) : 0.04
% addition(a, b, 9) : 0.1
% addition(a, b, 18) : 0.01
% addition(a, b, 19) : 0

nn(mnist_net, [X], Y, [0..9]) :: digit(X, Y).

addition(X, Y, Z) :- digit(X, X2), digit(Y, Y2), Z is X2 + Y2.
