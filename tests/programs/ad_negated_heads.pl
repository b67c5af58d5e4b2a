% Negated heads of one choice: what remains.
%
% By hand: not a and not b leaves c: 0.5; not a: 0.8; not a or not b is certain.
%
% Expected outcome:
% c_only : 0.5
% not_a : 0.8
% always : 1

0.2::a; 0.3::b; 0.5::c.
c_only :- \+ a, \+ b.
not_a :- \+ a.
always :- \+ a ; \+ b.
query(c_only).
query(not_a).
query(always).
