% A library of another system.
%
% Expected error: UnsupportedConstructError
% at 7:1
% says library(pita) is cplint's; leave out its directives, and write clauses

:- use_module(library(pita)).
0.3::a.
query(a).
