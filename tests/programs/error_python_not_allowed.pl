% Python that the caller has not allowed.
%
% Expected error: PythonNotAllowedError
% at 7:4
% says would run Python code; allow it with allow_python=True (--allow-python)

:- use_module('python/numbers.py').
query(a).
a.
