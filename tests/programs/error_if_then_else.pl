% If-then-else has no meaning where a condition holds in some worlds only; the message writes it out.
%
% Expected error: UnsupportedConstructError
% at 8:12
% says ProbLog has no if-then-else; write (a, X=1 ; \+ a, X=2)

0.3::a.
q(X) :- (a -> X = 1 ; X = 2).
query(q(_)).
