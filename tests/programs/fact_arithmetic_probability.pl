% A probability may be arithmetic.
%
% By hand: a = 1/3; b = 0.5 * 0.5 = 0.25; both = 1/12.
%
% Expected outcome:
% a : 0.3333333333333333
% b : 0.25
% both : 0.08333333333333333

1/3::a.
(0.5*0.5)::b.
both :- a, b.
query(a).
query(b).
query(both).
