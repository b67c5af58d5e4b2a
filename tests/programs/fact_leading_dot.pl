% A probability may begin with its point.
%
% By hand: 0.9; 0.9 * 0.25.
%
% Expected outcome:
% a : 0.9
% b : 0.225

.9 :: a.
.25::b :- a.
query(a).
query(b).
