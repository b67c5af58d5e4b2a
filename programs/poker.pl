% A small game of poker, with a house card that nobody sees: which cards the house likes is learnt.
%
% Each player has two cards, of which there are images, and both share the house's card, of which there is nothing at
% all. Its distribution is a parameter, t(_), and is learnt with the network from the outcomes of games: a house that
% deals from an unfair deck gives itself away.
%
% A hand is three cards. Three of one rank beat a straight (three ranks in a row), a straight beats a pair, a pair
% beats the rest; then the ranks decide, those of the set first.
%
% Ask for game([a, b], [c, d], Outcome), where every name is a batch of images: win, loss or draw for the first player.
%
% By hand, with the cards known to be two jacks against queen and king, and a fair house: a jack makes three of a kind
% against a straight, an ace a pair against a straight, a queen or a king makes the smaller of two pairs. So it is
% 0.25.
%
% Network card_net: one-hot 4
% Input a: 0
% Input b: 0
% Input c: 1
% Input d: 2
% Expected outcome:
% game([a, b], [c, d], win) : 0.25
% game([a, b], [c, d], loss) : 0.75
% game([a, b], [a, b], draw) : 1
% game([c, d], [a, b], win) : 0.75
% game([a, c], [a, d], loss) : 0.75
% game([a, c], [b, c], draw) : 1

nn(card_net, [Image], Rank, [0, 1, 2, 3]) :: rank(Image, Rank).  % jack, queen, king, ace

t(_) :: house(0); t(_) :: house(1); t(_) :: house(2); t(_) :: house(3).

game(Mine, Theirs, Outcome) :-
    house(H), hand(Mine, H, A), hand(Theirs, H, B), outcome(A, B, Outcome).

hand([X, Y], H, Strength) :- rank(X, R), rank(Y, S), ascending(R, S, H, Low), strength(Low, Strength).

ascending(X, Y, Z, [A, B, C]) :- A is min(X, min(Y, Z)), C is max(X, max(Y, Z)), B is X + Y + Z - A - C.

% The strength of three ranks in ascending order, so that stronger hands have larger numbers.
strength([R, R, R], S) :- S is 3000 + R.
strength([P, Q, R], S) :- Q is P + 1, R is Q + 1, S is 2000 + R.
strength([R, R, Q], S) :- R < Q, S is 1000 + 10 * R + Q.
strength([Q, R, R], S) :- Q < R, S is 1000 + 10 * R + Q.
strength([0, 1, 3], 310).
strength([0, 2, 3], 320).

outcome(A, B, win) :- A > B.
outcome(A, B, loss) :- A < B.
outcome(A, A, draw).
