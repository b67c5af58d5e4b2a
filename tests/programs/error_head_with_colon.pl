% A probability as cplint writes it.
%
% Expected error: ProgramSyntaxError
% at 7:1
% says heads(C):0.6 is cplint's way of writing; a probability stands before i

heads(C):0.6 ; tails(C):0.4 :- coin(C).
coin(c).
query(heads(c)).
