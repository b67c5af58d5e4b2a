"""Python functions as predicates: registered on one model, and known to no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deepplp.errors import GroundingError, NonGroundError, Position
from deepplp.program import (
    Constant,
    PlainValue,
    Term,
    TermValue,
    is_ground,
    list2term,
    list_items,
    quote,
    unquoted,
)

__all__ = ["PythonFunction", "to_python", "to_term"]


@dataclass(frozen=True, slots=True)
class PythonFunction:
    """A function that gives the last argument of ``name/(inputs + 1)``, or as a ``test`` decides ``name/inputs``.

    ``nondeterministic`` functions return any number of values for the last argument, each a solution.
    """

    name: str
    function: Callable[..., Any]
    inputs: int
    test: bool
    nondeterministic: bool

    @property
    def arity(self) -> int:
        """The predicate's number of arguments."""
        return self.inputs + (not self.test)

    def solutions(self, arguments: Sequence[object], position: Position | None) -> list[tuple[Term, ...]]:
        """The argument tuples for which the predicate holds; the engine unifies them with the call's.

        Raises:
            NonGroundError: an input holds a variable.
            GroundingError: the function raises an exception, or returns what is no term.
        """
        given: list[Term] = []
        for number, term in enumerate(arguments[: self.inputs]):
            if not (isinstance(term, Term) and is_ground(term)):
                raise NonGroundError(
                    f"argument {number + 1} of {self.name}/{self.arity} is not ground; Python needs its inputs",
                    position,
                )
            given.append(term)
        try:
            result = self.function(*map(to_python, given))
            if self.test:
                return [tuple(given)] if result else []
            several = self.nondeterministic and isinstance(result, Iterable) and not isinstance(result, str)
            values = list(result) if several else [result]
        except Exception as error:
            raise self._error(given, f"raised {type(error).__name__}: {error}", position) from error
        if self.nondeterministic and not several:
            what = f"returned {result!r}; as it is nondeterministic, it returns several values, such as a list of them"
            raise self._error(given, what, position)
        try:
            return [(*given, to_term(value)) for value in values]
        except TypeError as error:
            raise self._error(given, f"returned what is no term: {error}", position) from None

    def _error(self, given: Sequence[Term], what: str, position: Position | None) -> GroundingError:
        shown = ", ".join(map(str, given))
        return GroundingError(f"the Python function for {self.name}({shown}) {what}", position)


def to_python(term: Term) -> PlainValue:
    r"""A ground term as a Python value: numbers, texts (of strings and atoms), lists, and compounds as `deepplp.Term`.

    >>> to_python(list2term([Constant(1), Term("a"), Constant('"b c"'), Term("f", Term("'it\\'s'"))]))
    [1, 'a', 'b c', Term(functor='f', args=("it's",))]
    """
    done: list[PlainValue] = []
    stack: list[tuple[Term, list[Term] | None, bool]] = [(term, list_items(term), False)]  # deep terms are no recursion
    while stack:
        current, items, complete = stack.pop()
        parts = list(current.args) if items is None else items
        if complete:
            values = done[len(done) - len(parts) :]
            del done[len(done) - len(parts) :]
            done.append(values if items is not None else TermValue(unquoted(str(current.functor)), tuple(values)))
        elif items is not None or parts:
            stack.append((current, items, True))
            stack += [(part, list_items(part), False) for part in reversed(parts)]
        else:
            done.append(_atomic(current))
    return done[0]


def _atomic(term: Term) -> PlainValue:
    if isinstance(term, Constant):
        value: int | float | str = term.functor
        return unquoted(value, '"') if isinstance(value, str) else value
    return unquoted(str(term.functor))


def to_term(value: object) -> Term:
    """A Python value as a term: numbers as constants, texts as atoms, lists and tuples as lists, and terms.

    Raises:
        TypeError: the value is none of these.

    >>> to_term([1, "a", 0.5, TermValue("f", ("b c",))])
    [1, a, 0.5, f('b c')]
    """
    if isinstance(value, Term):
        return value
    if isinstance(value, TermValue):
        return Term(quote(value.functor), *map(to_term, value.args))
    if isinstance(value, bool):
        return Term("true" if value else "false")
    if isinstance(value, (int, float)):
        return Constant(value)
    if isinstance(value, str):
        return Term(quote(value))
    if isinstance(value, (list, tuple)):
        return list2term([to_term(item) for item in value])
    raise TypeError(f"a {type(value).__name__} is no number, text, term or list of them")
