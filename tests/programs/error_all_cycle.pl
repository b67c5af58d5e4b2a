% all/3 of a goal that depends on its own list.
%
% Expected error: GroundingError
% at 8:9
% says all/3 collects the answers of a while these are being found

b.
a :- b, all(x, a, _).
query(a).
