% A mistake of syntax in a file that is loaded as a module.
%
% Expected error: ProgramSyntaxError
% at consulted/syntax.pl:2:11
% says this operator has no argument on one of its sides

:- use_module('consulted/syntax.pl').
query(fine).
