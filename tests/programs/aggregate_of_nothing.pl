% What aggregates come to where no solution holds, for certain.
%
% By hand: the count and the sum are 0, and nothing is the greatest.
%
% Expected outcome:
% q(count,0) : 1
% q(sum,0) : 1
% none : 1
% ProbLog differs: it has no aggregate_all/3
% Declined: aggregate_all/3 is not spoken by the tabled engine

p(X) :- member(X, []).
q(count, N) :- aggregate_all(count, p(_), N).
q(sum, N) :- aggregate_all(sum(X), p(X), N).
q(max, N) :- aggregate_all(max(X), p(X), N).
q(avg, N) :- aggregate_all(avg(X), p(X), N).
none :- \+ aggregate_all(min(X), p(X), _).
query(q(_, _)).
query(none).
