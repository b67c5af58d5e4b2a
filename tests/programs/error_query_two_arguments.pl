% query/2 asks nothing.
%
% Expected error: ProgramSyntaxError
% at 8:1
% says query/2 asks nothing; a query is of one goal: query(a). query(b).

0.3::a.
query(a, b).
