% A file with a byte order mark and line ends of Windows.
%
% By hand: 0.3 * 0.4 = 0.12.
%
% Expected outcome:
% c : 0.12

0.3::a.
0.4::b.
c :- a,
    b.
query(c).
