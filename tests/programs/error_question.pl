% A query as a Prolog system takes it.
%
% Expected error: ProgramSyntaxError
% at 8:1
% says a program asks by query(a), not by ?-

0.3::a.
?- a.
