% What a negated head makes inside has no name that a program's own predicate could have.
%
% By hand: a holds if its cause does and the inhibition does not, 0.3 * (1 - 0.5); a_p and a_n are predicates of their own.
%
% Expected outcome:
% a : 0.15
% a_n : 0.9
% a_p : 0.8
% ProbLog differs: it names the two parts of a negated head a_p and a_n

0.3::a.
0.5::\+a.
0.9::a_n.
0.8::a_p.
query(a).
query(a_n).
query(a_p).
