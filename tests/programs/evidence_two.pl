% Two pieces of evidence count together.
%
% By hand: wet without the sprinkler is rain: P = 0.2 * 0.5.
%
% Expected outcome:
% rain : 1
% sprinkler : 0
% Expected log evidence: log(0.1)

0.2::rain.
0.5::sprinkler.
wet :- rain.
wet :- sprinkler.
evidence(wet).
evidence(sprinkler, false).
query(rain).
query(sprinkler).
