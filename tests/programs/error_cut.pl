% The cut, which ProbLog does not have.
%
% Expected error: UnsupportedConstructError
% at 9:9
% says the cut ! has no meaning in a probabilistic program
% says library(cut)

0.3::a.
q :- a, !.
query(q).
