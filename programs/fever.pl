% Fever: who needs a doctor, by measured temperatures and ages; where fever begins is learnt.
%
% Temperatures and ages are inputs, so that one compiled structure serves all patients. T > 40 is decided by the number of
% each row; above(T, param(fever, 38.5), 0.5) holds with a probability, by which model.params["fever"] is learnt from
% patients of whom only is known whether they were ill.
%
% By hand: 39 degrees are one width above 38.5, 1 / (1 + exp(-1)); 38.5 degrees are a fever with 0.5. Of Ann, who is 40,
% her temperature alone could make it urgent. Bob is old enough, and Cid's 40.25 degrees are urgent in any case.
%
% Inputs: t_ann t_bob t_cid a_ann a_bob
% Input t_ann: 39.0
% Input t_bob: 38.5
% Input t_cid: 40.25
% Input a_ann: 40
% Input a_bob: 71
% Expected outcome:
% ill(ann) : 0.7310585786300049
% ill(bob) : 0.5
% urgent(ann) : 0
% urgent(bob) : 0.5
% urgent(cid) : 1
% rest(ann) : 0.5848468629040039
% Expected gradient:
% ill(ann) / t_ann : 0.39322386648296376
% rest(ann) / t_ann : 0.31457909318637103

temperature(ann, t_ann). temperature(bob, t_bob). temperature(cid, t_cid).
age(ann, a_ann). age(bob, a_bob). age(cid, 7).

ill(P) :- temperature(P, T), above(T, param(fever, 38.5), 0.5).

urgent(P) :- temperature(P, T), T > 40.
urgent(P) :- ill(P), age(P, A), A >= 65.

0.8 :: careful(P) :- age(P, A), A > 12.
rest(P) :- ill(P), careful(P), \+ urgent(P).
