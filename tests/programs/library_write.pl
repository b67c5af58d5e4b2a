% write/1 prints while the program is ground.
%
% By hand: a certain atom after the output.
%
% Expected outcome:
% a : 1
% Prints: hello world
% Declined: write/1 is not spoken by the tabled engine

a :- write(hello), write(' '), writeln(world).
query(a).
