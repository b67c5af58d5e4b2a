% A probabilistic fact holds with its probability.
%
% By hand: nothing else bears on rain.
%
% Expected outcome:
% rain : 0.3

0.3::rain.
query(rain).
