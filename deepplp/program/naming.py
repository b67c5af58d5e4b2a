"""Terms as people write them: variables by name, where the engine has numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from problog.engine_unify import substitute_simple
from problog.logic import Term, Var, is_variable

from deepplp.program.writing import text_of

__all__ = ["abbreviated", "named", "named_all", "readable", "readable_text", "variant", "without_scope"]

_MOST_ITEMS = 3  # of a list in an abbreviated text
_MOST_CHARACTERS = 40  # of an atom, a number or a string in it
_LEFT_OUT = Var("…")

_INTERNAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\bX\d+\b")

_SCOPE = re.compile(r"^_(?:aggregate|apply|assert|builtin|collect|control|cut|db|lists|record|scope|string)_(?=\w)")


class _Names:
    """The engine's variables as ``_``, or as ``A``, ``B`` and so on where they occur more than once."""

    def __init__(self, counts: Counter[Any]) -> None:
        self._counts = counts
        self._names: dict[Any, Var] = {}

    def __getitem__(self, variable: Any) -> Var:
        if isinstance(variable, str) and (variable[:1].isalpha() or "…" in variable):
            return Var(variable)
        if variable is None or variable == "_" or self._counts[variable] == 1:  # each ``_`` is one of its own
            return Var("_")
        number = len(self._names)
        letter = chr(ord("A") + number % 26) + (str(number // 26) if number >= 26 else "")
        return self._names.setdefault(variable, Var(letter))


def named(term: Any) -> Any:
    """A term with the engine's variables as `Var`, each by a name; a ground term is itself."""
    if isinstance(term, Term) and term.is_ground():
        return term
    counts: Counter[Any] = Counter()
    stack = [term]
    while stack:
        current = stack.pop()
        if current is None or isinstance(current, int):
            counts[current] += 1
        elif isinstance(current, Var):
            counts[current.functor] += 1
        elif isinstance(current, Term) and not is_variable(current):
            stack += current.args
    return substitute_simple(term, _Names(counts))


def named_all(terms: Iterable[Term]) -> list[Term]:
    """Several terms, each with its own names."""
    return [named(term) for term in terms]


class _InOrder(dict[Any, Var]):
    """Variables by the order in which they occur; each ``_`` is one of its own."""

    def __missing__(self, variable: Any) -> Var:
        number = Var(f"_{len(self)}")
        self[object() if variable in (None, "_") else variable] = number
        return number


def variant(term: Any) -> Any:
    """A term with its variables named by their order: terms that differ in the names of variables alone are one."""
    if isinstance(term, Term) and term.is_ground():
        return term
    return substitute_simple(term, _InOrder())


def readable(term: Any) -> str:
    """A term's text, with the engine's variables named.

    >>> readable(Term("p", -1, Term("f", -2, -2)))
    'p(_,f(A,A))'
    """
    return text_of(named(term))


def abbreviated(term: Any, depth: int = 4) -> str:
    """A term's text, with … in place of what is nested deeply, far down a list or very long.

    >>> abbreviated(Term("p", Term("s", Term("s", Term("s", Term("s", Term("z")))))))
    'p(s(s(s(…))))'
    """
    return readable(_reduced(term, depth))


def _reduced(term: Any, depth: int) -> Any:
    if not isinstance(term, Term) or isinstance(term, Var):
        return term
    if not term.args:
        text = str(term)
        return term if len(text) <= _MOST_CHARACTERS else Var(f"{text[:_MOST_CHARACTERS]}…")
    if depth == 0:
        return _LEFT_OUT
    if term.functor != "." or term.arity != 2:
        return term.with_args(*(_reduced(a, depth - 1) for a in term.args))
    items: list[Any] = []
    rest: Any = term
    while isinstance(rest, Term) and rest.functor == "." and rest.arity == 2 and len(items) < _MOST_ITEMS:
        items.append(_reduced(rest.args[0], depth - 1))
        rest = rest.args[1]
    found = _LEFT_OUT if isinstance(rest, Term) and rest.args else rest
    for item in reversed(items):
        found = Term(".", item, found)
    return found


def readable_text(text: str) -> str:
    """A message of the engine, in which variables have names such as X1.

    >>> readable_text("arguments: (X1, X2+1, 'X3')")
    "arguments: (_, _+1, 'X3')"
    """
    return _INTERNAL.sub(lambda found: found[0] if found[0][0] in "'\"" else "_", text)


def without_scope(name: str) -> str:
    """The name of a library's predicate, before which the engine writes the library's.

    >>> without_scope("_lists_flatten")
    'flatten'
    """
    return _SCOPE.sub("", name)
