% Character codes.
%
% Expected error: ProgramSyntaxError
% at 7:13
% says ProbLog has no character codes such as 0'a

q(X) :- X = 0'c.
query(q(_)).
