% A full stop is missing between two clauses.
%
% Expected error: ProgramSyntaxError
% at 8:1
% says the statement before this, which ends in line 7, has no full stop

0.3::a
0.4::b.
query(b).
