% A mistake of syntax in a file that is loaded as a module.
%
% Expected error: ProgramSyntaxError
% at consulted/syntax.pl:2:11
% says nothing stands between ':-' and ','

:- use_module('consulted/syntax.pl').
query(fine).
