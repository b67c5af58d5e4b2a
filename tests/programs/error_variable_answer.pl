% An uncertain answer that still holds a variable; it is named readably.
%
% Expected error: NonGroundError
% at 9:7
% says the query q(_) has the answer q(f(_,_)), which still holds a variable

0.3::a.
q(f(_, _)) :- a.
query(q(_)).
