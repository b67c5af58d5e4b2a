% Tests of types.
%
% By hand: each test holds for its own kind of term.
%
% Expected outcome:
% kind(a,atom) : 1
% kind(a,atomic) : 1
% kind(a,callable) : 1
% kind(1,number) : 1
% kind(1,integer) : 1
% kind(1,atomic) : 1
% kind(2.5,number) : 1
% kind(2.5,float) : 1
% kind(2.5,atomic) : 1
% kind(f(x),compound) : 1
% kind(f(x),callable) : 1
% unbound : 1
% bound : 1
% list : 1

t(a).
t(1).
t(2.5).
t(f(x)).
kind(X, atom) :- t(X), atom(X).
kind(X, atomic) :- t(X), atomic(X).
kind(X, number) :- t(X), number(X).
kind(X, integer) :- t(X), integer(X).
kind(X, float) :- t(X), float(X).
kind(X, compound) :- t(X), compound(X).
kind(X, callable) :- t(X), callable(X).
unbound :- var(_).
bound :- nonvar(a), ground(f(a)).
list :- is_list([1]).
query(kind(_, _)).
query(unbound).
query(bound).
query(list).
