% A power that would fill the memory is refused before it is computed.
%
% Expected error: NoValueError
% at 7:11
% says this arithmetic has no value: 3**1000000000000 has more than 65,536 bits

q(X) :- X is 5 mod 3**(10**12).
query(q(_)).
