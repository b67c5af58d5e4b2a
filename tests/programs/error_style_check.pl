% Style checks of other systems.
%
% Expected error: UnknownPredicateError
% at 7:4
% says ProbLog has no style_check/1; there are no style checks; leave the dir

:- style_check(-singleton).
0.3::a.
query(a).
