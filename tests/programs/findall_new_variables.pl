% Variables in the answers of findall/3 are new, each answer's its own.
%
% By hand: binding the variable of the first answer leaves that of the second alone.
%
% Expected outcome:
% q([2-a, 1-b]) : 0.5
% ProbLog differs: its answers share their variables, so that a is b there
% Declined: findall/3 is not spoken by the tabled engine

0.5::p(2).
p(1).
pair(X-_) :- p(X).
q(L) :- findall(P, pair(P), L), L = [_-a, _-b].
query(q(_)).
