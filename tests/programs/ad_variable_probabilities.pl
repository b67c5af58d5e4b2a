% Probabilities of the heads from the body.
%
% By hand: as the fact w states; none = 1 - 0.3 - 0.6 = 0.1.
%
% Expected outcome:
% x(a) : 0.3
% x(b) : 0.6
% none : 0.1

P::x(a); Q::x(b) :- w(P, Q).
w(0.3, 0.6).
none :- \+ x(a), \+ x(b).
query(x(_)).
query(none).
