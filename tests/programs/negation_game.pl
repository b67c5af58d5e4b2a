% A position is won if some move leads to one that is not: negation below recursion.
%
% By hand: c has no move and is lost. b is won if the move to c is there: 0.6. a is won if its move is there and b is
% not won: 0.5 * 0.4 = 0.2.
%
% Expected outcome:
% win(a) : 0.2
% win(b) : 0.6
% win(c) : 0

0.5::move(a, b).
0.6::move(b, c).
win(X) :- move(X, Y), \+ win(Y).
query(win(a)).
query(win(b)).
query(win(c)).
