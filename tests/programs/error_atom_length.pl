% Texts are taken apart by a library.
%
% Expected error: UnknownPredicateError
% at 7:9
% says ProbLog has no atom_length/2; library(string)

q(N) :- atom_length(abc, N).
query(q(_)).
