% A probability may be a variable that the body binds.
%
% By hand: both = 0.6 * 0.1 = 0.06.
%
% Expected outcome:
% bent(c1) : 0.6
% bent(c2) : 0.1
% both : 0.06

P::bent(C) :- bias(C, P).
bias(c1, 0.6).
bias(c2, 0.1).
both :- bent(c1), bent(c2).
query(bent(_)).
query(both).
