% Variables that several goals of a body share, with one fact to meet them.
%
% By hand: The fact holds with 0.5.
%
% Expected outcome:
% out(k,r) : 1
% out(t,t) : 0.5

0.5::w(l, t).
out(k, r).
out(G, G) :- w(F, G), w(F, D), \+ w(D, D).
out(B, A) :- w(B, A), w(H, H), w(H, A).
query(out(_, _)).
