% One colon where two are meant.
%
% Expected error: ProgramSyntaxError
% at 7:1
% says a probability takes two colons: 0.3::a

0.3:a.
query(a).
