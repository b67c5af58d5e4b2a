% A test's error rates, written into the body of its rule.
%
% Expected error: ProgramSyntaxError
% at 9:15
% says 0.95::tests(P) :- sick(P).

0.02::sick(_).
person(eve).
tests(P) :- ( 0.95::sick(P) ; 0.1::\+sick(P) ), person(P).
query(tests(eve)).
