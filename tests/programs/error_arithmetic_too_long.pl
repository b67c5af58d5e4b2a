% A number that could not be written is none, although it may stand within a computation.
%
% Expected error: NoValueError
% at 8:14
% says its result has more than 4,300 digits

fits(X) :- X is 10**6000 // 10**5999.
long(X) :- X is 10**4300.
query(fits(_)).
query(long(_)).
