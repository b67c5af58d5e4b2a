% Flags of other systems.
%
% Expected error: UnknownPredicateError
% at 7:4
% says ProbLog has no set_prolog_flag/2; there are no flags; leave the direct

:- set_prolog_flag(double_quotes, codes).
0.3::a.
query(a).
