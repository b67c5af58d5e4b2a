% all_different and ordered: of the solutions of a goal, of a list that findall/3 would make, and of a list.
%
% By hand: two dice of three sides differ with 2/3, and the second shows no less than the first with 2/3. Solutions have
% the order in which findall/3 lists them, so that the goal says which die is the first.
%
% Expected outcome:
% differ : 0.6666666666666667
% differ_in_a_list : 0.6666666666666667
% differ_in_turn : 0.6666666666666667
% rising : 0.6666666666666667
% rising_in_a_list : 0.6666666666666667
% ProbLog differs: it has none of these
% Declined: all_different/2 is not spoken by the tabled engine

1/3::die(D, 1); 1/3::die(D, 2); 1/3::die(D, 3) :- between(1, 2, D).
differ :- all_different(X, die(_, X)).
differ_in_a_list :- findall(X, die(_, X), L), all_different(L).
differ_in_turn :- die(1, X), die(2, Y), all_different([X, Y]).
rising :- ordered(X, (between(1, 2, D), die(D, X))).
rising_in_a_list :- findall(X, (between(1, 2, D), die(D, X)), L), ordered(L).
query(differ).
query(differ_in_a_list).
query(differ_in_turn).
query(rising).
query(rising_in_a_list).
