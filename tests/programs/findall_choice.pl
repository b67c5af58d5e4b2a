% Lists that no world can have are no answers: a choice has one value.
%
% By hand: each list has its value's probability; one of the values must hold.
%
% Expected outcome:
% q([1]) : 0.5
% q([2]) : 0.3
% q([3]) : 0.2
% ProbLog differs: it gives all 8 lists, most with probability 0
% Declined: findall/3 is not spoken by the tabled engine

0.5::v(1); 0.3::v(2); 0.2::v(3).
q(L) :- findall(X, v(X), L).
query(q(_)).
