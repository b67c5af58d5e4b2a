% Rules of query/1 and evidence/2 say what is asked and observed.
%
% By hand: names has ann and bob; bob is seen; the size is above 1.
%
% Expected outcome:
% p(ann) : 0.3
% p(bob) : 1
% c : 0.5
% Expected log evidence: log(0.6)
% ProbLog differs: its member/2 must be imported

names([ann, bob]).
size(10).
0.3::p(ann). 0.6::p(bob). 0.9::p(zed).
0.5::c.
seen(X) :- p(X).
query(p(X)) :- names(L), member(X, L).
query(c) :- size(S), S > 1.
evidence(seen(X), true) :- names(L), member(X, L), X = bob.
