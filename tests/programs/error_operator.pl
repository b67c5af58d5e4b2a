% Operators of one's own.
%
% Expected error: ProgramSyntaxError
% at 7:1
% says ProbLog has no operators but its own

:- op(700, xfx, ===>).
a ===> b.
