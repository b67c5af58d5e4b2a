% A list is no number.
%
% Expected error: NoValueError
% at 7:18
% says this arithmetic has no value: [] is a list, no number

size([], N) :- N is [] + 1.
query(size([], _)).
