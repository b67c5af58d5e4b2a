% Evidence on what findall/3 counts.
%
% By hand: exactly one holds: 0.3 * 0.6 + 0.7 * 0.4 = 0.46; p(1) has part 0.18.
%
% Expected outcome:
% p(1) : 0.3913043478260869
% p(2) : 0.6086956521739131
% Expected log evidence: log(0.46)
% Declined: findall/3 is not spoken by the tabled engine

0.3::p(1).
0.4::p(2).
n(N) :- findall(X, p(X), L), length(L, N).
evidence(n(1)).
query(p(_)).
