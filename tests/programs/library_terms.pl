% numbervars, subsumes_term and the standard order.
%
% By hand: two variables get two numbers.
%
% Expected outcome:
% n(2) : 1
% s : 1
% o : 1
% Declined: numbervars/3 is not spoken by the tabled engine

n(N) :- numbervars(f(A, B), 0, T), T = f(A, B), N = 2.
s :- subsumes_term(f(_), f(a)), \+ subsumes_term(f(a), f(_)).
o :- a @< b, f(a) @> a, 1 @=< 1, b @>= a.
query(n(_)).
query(s).
query(o).
