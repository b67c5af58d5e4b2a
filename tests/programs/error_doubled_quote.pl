% A quote within quotes, as Prolog doubles it.
%
% Expected error: ProgramSyntaxError
% at 7:7
% says a quote within quotes takes a backslash: \', not ''

q('it''s').
query(q(_)).
