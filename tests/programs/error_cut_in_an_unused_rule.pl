% A cut is reported wherever it stands, even if no query leads to it.
%
% Expected error: UnsupportedConstructError
% at 9:14
% says the cut !

0.3::a.
query(a).
unused :- a, !.
