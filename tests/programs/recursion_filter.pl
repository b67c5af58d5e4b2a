% A hidden state that is observed: the filter of a Markov model.
%
% By hand: P(wet(1)) = 0.6 becomes 0.45 / 0.55 = 9/11; then 0.4 + 0.4 * 9/11 = 8/11.
%
% Expected outcome:
% wet(1) : 0.8181818181818182
% wet(2) : 0.7272727272727273
% Expected log evidence: log(0.55)

0.5::wet(0).
0.8::wet(T) :- T > 0, S is T - 1, wet(S).
0.4::wet(T) :- T > 0, S is T - 1, \+ wet(S).
0.75::umbrella(T) :- wet(T).
0.25::umbrella(T) :- \+ wet(T).
evidence(umbrella(1)).
query(wet(1)).
query(wet(2)).
