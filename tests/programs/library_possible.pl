% possible/1 asks whether a goal may hold, try_call/1 fails where there is no such predicate.
%
% By hand: a may hold; its probability does not matter.
%
% Expected outcome:
% may : 1
% tried : 0.3
% missing : 0
% Declined: possible/1 is not spoken by the tabled engine

0.3::a.
may :- possible(a).
tried :- try_call(a).
missing :- try_call(nowhere).
query(may).
query(tried).
query(missing).
