% append/3 apart and together, append/2, prefix/2, reverse/2 and last/2.
%
% By hand: [1,2] splits in three ways.
%
% Expected outcome:
% split([],[1, 2]) : 1
% split([1],[2]) : 1
% split([1, 2],[]) : 1
% joined([1, 2, 3]) : 1
% begins([]) : 1
% begins([1]) : 1
% back([2, 1]) : 1
% end(2) : 1
% ProbLog differs: its append/2 never ends

split(X, Y) :- append(X, Y, [1, 2]).
joined(X) :- append([[1], [2, 3]], X).
begins(X) :- prefix(X, [1]).
back(X) :- reverse([1, 2], X).
end(X) :- last([1, 2], X).
query(split(_, _)).
query(joined(_)).
query(begins(_)).
query(back(_)).
query(end(_)).
