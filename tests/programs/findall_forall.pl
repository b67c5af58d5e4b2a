% forall/2 over probabilistic goals.
%
% By hand: it fails where p(1) holds, whatever p(2) is.
%
% Expected outcome:
% q : 0.5
% vacuous : 1
% Declined: call/1 is not spoken by the tabled engine

0.5::p(1).
0.5::p(2).
q :- forall(p(X), X > 1).
vacuous :- forall(fail, fail).
query(q).
query(vacuous).
