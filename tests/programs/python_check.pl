% A known result is compared.
%
% By hand: twice 2 is 4, not 5.
%
% Allow python
% Expected outcome:
% yes : 1
% no : 0
% Declined: twice/2 is decided by Python

:- use_module('python/numbers.py').
yes :- twice(2, 4).
no :- twice(2, 5).
query(yes).
query(no).
