% A declaration of something that is no predicate.
%
% Expected error: ProgramSyntaxError
% at 7:1
% says dynamic declares predicates, such as dynamic edge/2, not edge

:- dynamic edge.
query(a).
a.
