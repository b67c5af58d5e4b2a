% A mistake that shows inside a library is reported where the program leads there.
%
% Expected error: NoValueError
% at 8:1
% says 0/0 divides by zero, in library(aggregate)

:- use_module(library(aggregate)).
mean(M) :- avg([], M).
query(mean(_)).
