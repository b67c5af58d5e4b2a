% A number cannot be asked.
%
% Expected error: ProgramSyntaxError
% at 7:1
% says query(1): a number is no atom

query(1).
