% A file that does not exist.
%
% Expected error: ProgramFileError
% at 7:1
% says cannot read nowhere.pl: there is no file

:- consult('nowhere.pl').
query(a).
a.
