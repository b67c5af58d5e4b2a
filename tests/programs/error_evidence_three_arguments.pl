% Evidence has no third argument.
%
% Expected error: ProgramSyntaxError
% at 8:1
% says evidence/3 observes nothing; write evidence(a) or evidence(a, false); 

0.3::a.
evidence(a, true, 0.9).
query(a).
