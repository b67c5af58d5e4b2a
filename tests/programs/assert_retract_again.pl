% What was found before a clause is retracted, or asserted, is not taken for what holds afterwards.
%
% By hand: a goal of a rule that has held fails once its fact is gone, and has
% one answer more once there is one fact more.
%
% Expected outcome:
% one : 0
% all : 0
% other : 1
% more(4) : 1
% Declined: assertz/1 is decided by Python

:- use_module(library(assert)).
held(X) :- p(X).
kept(X) :- r(X).
left(X) :- u(X).
found(X) :- s(X).
one :- assertz(p(1)), held(1), retract(p(1)), held(1).
all :- assertz(r(1)), kept(1), retractall(r(_)), kept(1).
other :- assertz(u(1)), assertz(u(2)), left(1), left(2), retract(u(1)), left(2), \+ left(1).
more(Y) :- assertz(s(3)), found(X), X = 3, assertz(s(4)), found(Y), Y = 4.
query(one).
query(all).
query(other).
query(more(_)).
