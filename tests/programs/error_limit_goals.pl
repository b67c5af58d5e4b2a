% Goals whose list does not end, and what is no goal.
%
% Expected error: GroundingError
% at 8:9
% says exactly/2 takes a goal, or a list of goals whose end is known, not [p(1) | _]

0.5::p(1).
q(L) :- exactly(1, [p(1)|L]).
query(q(_)).
