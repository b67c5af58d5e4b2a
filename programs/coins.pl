% Two coins in one image: a win where both show the same side.
%
% Two networks look at the same image, one for the large coin, one for the small one. Of most images only the game's
% outcome is known, which says nothing about either coin alone: both networks may as well call every head a tail. A few
% images whose coins are known, asked for as large(a, heads), break the tie.
%
% Ask for game(a, Outcome), where a is a batch of images.
%
% By hand: P(win) = 0.9 * 0.6 + 0.1 * 0.4.
%
% Network large_net: constant 0.9, 0.1
% Network small_net: constant 0.6, 0.4
% Expected outcome:
% game(a, win) : 0.58
% game(a, loss) : 0.42
% large(a, heads) : 0.9

nn(large_net, [X], Side, [heads, tails]) :: large(X, Side).
nn(small_net, [X], Side, [heads, tails]) :: small(X, Side).

game(X, win) :- large(X, Side), small(X, Side).
game(X, loss) :- large(X, Side), \+ small(X, Side).
