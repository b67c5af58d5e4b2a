% The negation of an nn/2 atom is 1 - p.
%
% By hand: neither is 0.7 * 0.4; exactly one is 0.3 * 0.4 + 0.7 * 0.6.
%
% Inputs: a b
% Network net: a = 0.3; b = 0.6
% Expected outcome:
% neither : 0.28
% one : 0.54
% Expected gradient:
% neither / net(a) : -0.4
% one / net(a) : -0.2
% one / net(b) : 0.4

nn(net, [X]) :: yes(X).
neither :- \+ yes(a), \+ yes(b).
one :- yes(a), \+ yes(b).
one :- \+ yes(a), yes(b).
