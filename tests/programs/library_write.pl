% write/1 prints while the program is ground.
%
% By hand: a certain atom after the output.
%
% Expected outcome:
% a : 1
% Prints: hello world

a :- write(hello), write(' '), writeln(world).
query(a).
