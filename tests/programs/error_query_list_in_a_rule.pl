% A query of a list is no goal, also where the body of its rule never holds.
%
% Expected error: ProgramSyntaxError
% at 8:1
% says query([X, b]): a list is no atom

a(1).
query([X, b]) :- a(X), fail.
