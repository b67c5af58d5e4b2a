"""Files that a program loads by use_module/1 and its like: which it may, and how Python files are run.

ProbLog's decorators write what a Python file exports to the data base that a class attribute names, which all threads
share. What deepplp has itself (library(assert), library(record), library(db)) needs no such file. The other shipped
files are run once in a process, and those of a program, which needs ``allow_python=True`` for them, whenever it is
loaded: one at a time, and with the attribute as it was afterwards. The functions of a program's own files may read that
attribute, so that they are called one at a time, too.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Protocol, TypeAlias, Unpack

import problog
from problog import library_paths
from problog.errors import ProbLogError
from problog.extern import problog_export

from deepplp.errors import (
    DeepPLPError,
    NonGroundError,
    ProgramFileError,
    PythonNotAllowedError,
    UnsupportedConstructError,
)
from deepplp.grounding.clause_base import Location
from deepplp.grounding.problog.assertions import ASSERTIONS
from deepplp.grounding.problog.loaders import LOADERS
from deepplp.grounding.problog.records import RECORDERS
from deepplp.grounding.problog.vocabulary import Argument, BuiltinFunction, CallOptions, ClauseStore, Locate
from deepplp.program import Constant, Term, list_items, readable

__all__ = [
    "check_module",
    "exclusive",
    "guarded",
    "is_shipped",
    "listed",
    "own_modules",
    "run_module",
    "shipped_functions",
]

Export: TypeAlias = tuple[str, int, BuiltinFunction]

_LIBRARY = Path(problog.__file__).parent / "library"
_OWN: dict[str, tuple[Export, ...]] = {"assert.py": ASSERTIONS, "record.py": RECORDERS, "db.py": LOADERS}
_RUN_ONCE = frozenset({"lists.py", "string.py"})  # they touch nothing but terms
_EVERYWHERE = frozenset({"library(yall)"})
_NEEDS_PERMISSION = frozenset({"db.py"})  # it reads files


class Exporter(Protocol):
    """What ProbLog's decorators hand functions to."""

    def add_extern(self, predicate: str, arity: int, func: BuiltinFunction, scope: str | None = None) -> None:
        """Take a function."""


class _Turn:
    """A lock that a forked process finds open, whatever the other threads of its parent were doing."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.lock = threading.RLock()


_TURN = _Turn()


@contextmanager
def _exclusively(exporter: Exporter) -> Iterator[None]:
    """Let ProbLog's decorators write to an exporter, in one thread at a time."""
    with _TURN.lock:
        before = problog_export.database
        problog_export.database = exporter
        try:
            yield
        finally:
            problog_export.database = before


def exclusive(function: BuiltinFunction) -> BuiltinFunction:
    """A function of a program's own Python file, which may ask ProbLog's decorators for the data base."""

    def call(*arguments: Argument, **options: Unpack[CallOptions]) -> object:
        with _exclusively(options["engine"].database):
            return function(*arguments, **options)

    return call


def run_module(name: str, filename: str, exporter: Exporter) -> None:
    """Run a Python file, whose exports go to ``exporter``."""
    loader = SourceFileLoader(name, filename)
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    with _exclusively(exporter):
        loader.exec_module(module)


class _Collected:
    """The functions that a Python file exports."""

    def __init__(self) -> None:
        self.functions: list[Export] = []

    def add_extern(self, predicate: str, arity: int, func: BuiltinFunction, scope: str | None = None) -> None:
        self.functions.append((predicate, arity, func))


@functools.cache
def _functions_of(filename: str) -> tuple[Export, ...]:
    collected = _Collected()
    run_module(os.path.splitext(os.path.basename(filename))[0], filename, collected)
    return tuple(collected.functions)


def own_modules() -> Iterator[Export]:
    """What the Python files that deepplp has itself export, whichever they are."""
    for exported in _OWN.values():
        yield from exported


def shipped_functions(filename: str) -> tuple[Export, ...] | None:
    """What a Python file of ProbLog's library exports; None for a program's own file."""
    file = os.path.basename(filename)
    if not is_shipped(filename):
        return None
    return _functions_of(filename) if file in _RUN_ONCE else _OWN.get(file)


def is_shipped(path: str) -> bool:
    """Whether a file is one of ProbLog's library."""
    folder = os.path.dirname(os.path.realpath(path))
    return folder in {os.path.realpath(p) for p in library_paths}


def check_module(
    filename: Argument, database: ClauseStore, location: Location, *, allow_python: bool, locate: Locate
) -> None:
    """Refuse a file that is missing, and one that would run Python or read a data base unless that is allowed."""
    if not isinstance(filename, Term) or not (filename.arity == 0 or filename.signature == "library/1"):
        what = readable(filename) if isinstance(filename, Term) else "a variable"
        raise ProgramFileError(f"a file's name is an atom such as 'facts.pl', not {what}", locate(location))
    path = database.resolve(filename, location)
    if not os.path.isfile(path):
        raise ProgramFileError(_missing_file(filename, path), locate(location))
    file, shipped = os.path.basename(os.path.realpath(path)), is_shipped(path)
    if shipped and file == "aproblog.py":
        raise UnsupportedConstructError(
            "library(aproblog) computes in semirings of its own; deepplp computes probabilities and their gradients",
            locate(location),
        )
    is_safe = shipped and (file in _RUN_ONCE or file in _OWN) and file not in _NEEDS_PERMISSION
    if not (allow_python or is_safe or not path.endswith(".py")):
        raise PythonNotAllowedError(
            f"use_module({filename}) would run Python code; allow it with allow_python=True (--allow-python) if you "
            "trust this program",
            locate(location),
        )


def _missing_file(filename: Term, path: str) -> str:
    """What to say where there is no such file."""
    shipped = sorted({p.stem for p in _LIBRARY.iterdir() if p.suffix in (".pl", ".py") and p.stem != "builtin"})
    if filename.functor == "library" and filename.arity == 1:
        return f"there is no {filename}; ProbLog has: {', '.join(shipped)}"
    name = os.path.splitext(str(filename).strip("'\""))[0]
    meant = f"; did you mean library({name})?" if name in shipped else ""
    return f"cannot read {filename}: there is no file {path}{meant}"


def guarded(builtin: BuiltinFunction, nothing: BuiltinFunction, scoped: bool) -> BuiltinFunction:
    """A built-in that loads a file, which its first argument names, or its second one behind a scope.

    What the libraries of other systems have and every program has here needs ``nothing``, which is true.
    """

    def call(*arguments: Argument, **options: Unpack[CallOptions]) -> object:
        filename, engine = arguments[int(scoped)], options["engine"]
        if str(filename) in _EVERYWHERE:
            return nothing(*arguments, **options)
        if isinstance(filename, Constant) and filename.is_string():  # a text names a file as an atom does
            filename = Term("'" + str(filename).strip('"') + "'", location=filename.location)
            arguments = (*arguments[: int(scoped)], filename, *arguments[int(scoped) + 1 :])
        options["database"] = engine.database  # what a goal consults stays when the goal is done
        engine.check_module(filename, engine.database, options.get("location"))
        before = len(engine.database)
        try:
            done = builtin(*arguments, **options)
            engine.carry_out_directives(engine.database)
            if len(engine.database) > before:
                options["target"]._cache.reset()
            return done
        except (DeepPLPError, ProbLogError):
            raise
        except Exception as error:  # of the Python file
            raise ProgramFileError(
                f"cannot load {filename}: {type(error).__name__}: {error}", engine.locate(options.get("location"))
            ) from error

    return call


def listed(consult: BuiltinFunction) -> BuiltinFunction:
    """``[File, …]`` as a goal, which consults each."""

    def call(first: Argument, rest: Argument, **options: Unpack[CallOptions]) -> object:
        files = list_items(Term(".", first, rest))
        if files is None:
            raise NonGroundError(
                "a list of files is reached while it is not bound; write consult('facts.pl')",
                options["engine"].locate(options.get("location")),
            )
        for file in files:
            options["location"] = file.location or options.get("location")  # a list has no place
            consult(file, **options)
        return True

    return call
