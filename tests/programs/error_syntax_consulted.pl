% A mistake of syntax in a file that is consulted.
%
% Expected error: ProgramSyntaxError
% at consulted/syntax.pl:2:11
% says 

:- consult('consulted/syntax.pl').
query(fine).
