% A Python file that cannot be loaded.
%
% Expected error: ProgramFileError
% at 8:4
% says cannot load 'python/fails.py': ValueError: not today
% Allow python

:- use_module('python/fails.py').
query(a).
a.
