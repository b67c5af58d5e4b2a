% The standard order of terms: numbers by value, strings, atoms, compounds.
%
% By hand: 9 is less than 10, 1.0 comes before 1, a compound of one argument before one of two, whatever they are called,
% and of two with the same name and arity the first argument that differs decides. A variable comes before all of them.
%
% Expected outcome:
% numbers(<) : 1
% equal(>) : 1
% same(=) : 1
% inside(<) : 1
% lists(<) : 1
% arity(>) : 1
% strings(<) : 1
% quotes(=) : 1
% chain : 1
% wrong : 0
% ProbLog differs: it compares numbers inside of terms as text, and quotes as characters

numbers(O) :- compare(O, 9, 10).
equal(O) :- compare(O, 1, 1.0).
same(O) :- compare(O, f(9, x), f(9, x)).
inside(O) :- compare(O, f(9, z), f(10, a)).
lists(O) :- compare(O, [9, 100], [10]).
arity(O) :- compare(O, a(x, y), z(x)).
strings(O) :- compare(O, "b", a).
quotes(O) :- compare(O, 'a', a).
chain :- X @< -10, -10 @< -9, -9 @=< -9, -9 @< 0.5, 10 @>= 9, 100000000000000000001 @> 100000000000000000000.
wrong :- 10 @< 9.
wrong :- X @> 1.
query(numbers(_)).
query(equal(_)).
query(same(_)).
query(inside(_)).
query(lists(_)).
query(arity(_)).
query(strings(_)).
query(quotes(_)).
query(chain).
query(wrong).
