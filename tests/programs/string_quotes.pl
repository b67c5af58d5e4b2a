% Strings in double quotes are terms of their own.
%
% By hand: "abc" is no atom; the two facts are different.
%
% Expected outcome:
% p("a b") : 0.3
% p('a b') : 0.4
% q : 1

0.3::p("a b").
0.4::p('a b').
q :- "abc" \== abc.
query(p(_)).
query(q).
