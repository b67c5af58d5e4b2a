% Line 3 calls what nobody defines.
fine.
broken(X) :- fine, nowhere(X).
