% Friends and smokers: recursion over a cyclic graph.
%
% A person smokes out of stress, or because a smoking friend has influence. Friendship goes both ways, so the ground
% program is cyclic, and its meaning is the least fixpoint: nobody smokes only because two people influence each other.
%
% By hand, for ann: 0.3 + 0.7 * (0.3 * 0.2) = 0.342, and a smoker has asthma with probability 0.4.
%
% Expected outcome:
% smokes(ann) : 0.342
% smokes(bob) : 0.342
% asthma(ann) : 0.1368

0.3 :: stress(X) :- person(X).
0.2 :: influences(X, Y) :- friend(X, Y).
0.4 :: asthma(X) :- smokes(X).

smokes(X) :- stress(X).
smokes(X) :- friend(Y, X), influences(Y, X), smokes(Y).

person(ann).
person(bob).
friend(ann, bob).
friend(bob, ann).

query(smokes(_)).
query(asthma(_)).
