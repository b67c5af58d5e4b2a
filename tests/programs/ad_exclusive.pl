% Two heads of one choice never hold together; those of two choices may.
%
% By hand: heads(1) and tails(1) exclude each other; heads(1) and heads(2): 0.6 * 0.6 = 0.36; one of each: 2 * 0.6 *
% 0.4 = 0.48.
%
% Expected outcome:
% impossible : 0
% two_heads : 0.36
% mixed : 0.48

0.6::heads(C); 0.4::tails(C) :- coin(C).
coin(1).
coin(2).
impossible :- heads(1), tails(1).
two_heads :- heads(1), heads(2).
mixed :- heads(X), tails(Y), X \= Y.
query(impossible).
query(two_heads).
query(mixed).
