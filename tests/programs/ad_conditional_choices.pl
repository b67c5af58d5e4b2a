% A choice whose body is a choice: a Markov chain of two steps.
%
% By hand: day 2 is sunny with 0.7 * 0.8 + 0.3 * 0.4 = 0.68, day 3 with 0.68 * 0.8 + 0.32 * 0.4 = 0.672.
%
% Expected outcome:
% weather(2,sun) : 0.68
% weather(2,rain) : 0.32
% weather(3,sun) : 0.672
% weather(3,rain) : 0.328

0.7::weather(1, sun); 0.3::weather(1, rain).
0.8::weather(D, sun); 0.2::weather(D, rain) :- D > 1, E is D - 1, weather(E, sun).
0.4::weather(D, sun); 0.6::weather(D, rain) :- D > 1, E is D - 1, weather(E, rain).
query(weather(2, _)).
query(weather(3, _)).
