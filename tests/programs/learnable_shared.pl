% One parameter for all groundings of a rule.
%
% By hand: both = p * p = 0.25; the derivative is 2 p = 1.
%
% Expected outcome:
% both : 0.25
% Expected gradient:
% d both / d heads(X) : 1

t(0.5)::heads(X) :- coin(X).
coin(1).
coin(2).
both :- heads(1), heads(2).
query(both).
