% A list of one file is consulted, too.
%
% By hand: as the file says.
%
% Expected outcome:
% p(1) : 0.3
% p(2) : 0.4

:- ['consulted/facts.pl'].
query(p(_)).
