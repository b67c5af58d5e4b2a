% Hexadecimal and negative integers, and comments of both kinds.
%
% By hand: 0x1F = 31.
%
% Expected outcome:
% n(31) : 0.5
% n(-1) : 0.25

0.5::n(0x1F). % a comment
/* another
   one */
0.25::n(-1).
query(n(_)). % at the end
