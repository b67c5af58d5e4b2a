% Several files in one directive.
%
% Expected error: UnsupportedConstructError
% at 7:1
% says consult one file a directive

:- ['consulted/facts.pl', 'consulted/rules.pl'].
query(some).
