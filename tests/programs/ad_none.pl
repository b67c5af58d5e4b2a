% What the heads leave of 1 is that none holds.
%
% By hand: neither = 1 - 0.2 - 0.3 = 0.5.
%
% Expected outcome:
% red : 0.2
% blue : 0.3
% neither : 0.5

0.2::red; 0.3::blue.
neither :- \+ red, \+ blue.
query(red).
query(blue).
query(neither).
