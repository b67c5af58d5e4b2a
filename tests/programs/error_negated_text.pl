% A text is no goal.
%
% Expected error: UnsupportedConstructError
% at 7:9
% says "b" is a text, and no goal that can hold or not

a :- \+ "b".
query(a).
