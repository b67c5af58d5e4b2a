% What is asked twice is printed once.
%
% By hand: 0.3.
%
% Expected outcome:
% a(1) : 0.3

0.3::a(1).
query(a(1)). query(a(_)). query(a(1)).
