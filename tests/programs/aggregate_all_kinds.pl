% aggregate_all/3: counts, sums, extremes and means over the solutions of a goal.
%
% By hand: the worlds are none, 1 alone, 3 alone and both, with 0.25 each. An extreme or a mean of nothing is none.
%
% Expected outcome:
% many(0) : 0.25
% many(1) : 0.5
% many(2) : 0.25
% total(0) : 0.25
% total(2) : 0.25
% total(6) : 0.25
% total(8) : 0.25
% highest(1) : 0.25
% highest(3) : 0.5
% lowest(1) : 0.5
% lowest(3) : 0.25
% mean(1.0) : 0.25
% mean(2.0) : 0.25
% mean(3.0) : 0.25
% best(max(1,one)) : 0.25
% best(max(3,three)) : 0.5
% all([]) : 0.25
% all([1]) : 0.25
% all([3]) : 0.25
% all([1, 3]) : 0.25
% ProbLog differs: it has no aggregate_all/3
% Declined: aggregate_all/3 is not spoken by the tabled engine

0.5::p(1, one).
0.5::p(3, three).
many(N) :- aggregate_all(count, p(_, _), N).
total(N) :- aggregate_all(sum(2 * X), p(X, _), N).
highest(N) :- aggregate_all(max(X), p(X, _), N).
lowest(N) :- aggregate_all(min(X), p(X, _), N).
mean(N) :- aggregate_all(avg(X), p(X, _), N).
best(N) :- aggregate_all(max(X, W), p(X, W), N).
all(L) :- aggregate_all(set(X), p(X, _), L).
query(many(_)).
query(total(_)).
query(highest(_)).
query(lowest(_)).
query(mean(_)).
query(best(_)).
query(all(_)).
