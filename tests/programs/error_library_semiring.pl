% Semirings of one's own.
%
% Expected error: UnsupportedConstructError
% at 8:4
% says library(aproblog) computes in semirings of its own
% Allow python

:- use_module(library(aproblog)).
query(a).
a.
