% A text that is no number.
%
% Expected error: GroundingError
% at 8:9
% says str2int/2 does not take these arguments: str2int(abc, N)

:- use_module(library(string)).
q(N) :- str2int(abc, N).
query(q(_)).
