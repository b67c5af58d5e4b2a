% If-then without else.
%
% Expected error: UnsupportedConstructError
% at 8:12
% says ProbLog has no if-then; write (a, b)

0.3::a.
q(1) :- (a -> b).
b.
query(q(_)).
