% Quoted names, with quotes and spaces inside.
%
% By hand: both = 0.2 * 0.5 = 0.1.
%
% Expected outcome:
% 'it\'s' : 0.2
% 'two words' : 0.5
% both : 0.1

0.2::'it\'s'.
0.5::'two words'.
both :- 'it\'s', 'two words'.
query('it\'s').
query('two words').
query(both).
