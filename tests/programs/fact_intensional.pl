% A probabilistic rule is a fact for each of its groundings.
%
% By hand: each of the two is liked with 0.4, independently: friends = 0.4 * 0.4 = 0.16.
%
% Expected outcome:
% likes(ann,bob) : 0.4
% likes(bob,ann) : 0.4
% friends : 0.16

0.4::likes(X, Y) :- person(X), person(Y), X \== Y.
person(ann).
person(bob).
friends :- likes(ann, bob), likes(bob, ann).
query(likes(_, _)).
query(friends).
