% query/0 asks nothing.
%
% Expected error: ProgramSyntaxError
% at 8:1
% says query/0 asks nothing; a query is of one goal: query(a).

0.3::a.
query :- a.
query(a).
