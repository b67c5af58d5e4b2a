% Texts reach the network as Python strings, blanks and all.
%
% By hand: 0.9 * 0.2, and 0.9 alone.
%
% Inputs:
% Network net (values): "a big dog" = 0.9; "a mouse" = 0.2
% Expected outcome:
% large("a big dog") : 0.9
% both : 0.18
% Expected gradient:
% large("a big dog") / net("a big dog") : 1
% both / net("a big dog") : 0.2
% both / net("a mouse") : 0.9

nn(net, [Text]) :: large(Text).
both :- large("a big dog"), large("a mouse").
