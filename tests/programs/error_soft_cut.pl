% The soft cut.
%
% Expected error: UnsupportedConstructError
% at 8:12
% says ProbLog has no soft cut; write (C, A ; \+ C, B)

0.3::a.
q(X) :- (a *-> X = 1 ; X = 2).
query(q(_)).
