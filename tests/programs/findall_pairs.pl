% A pattern of several variables, and a conjunction as goal.
%
% By hand: each owner has each of its things with 0.5.
%
% Expected outcome:
% q([]) : 0.25
% q([ann-cat]) : 0.25
% q([bob-dog]) : 0.25
% q([ann-cat, bob-dog]) : 0.25
% Declined: findall/3 is not spoken by the tabled engine

person(ann).
person(bob).
0.5::owns(ann, cat).
0.5::owns(bob, dog).
q(L) :- findall(P-T, (person(P), owns(P, T)), L).
query(q(_)).
