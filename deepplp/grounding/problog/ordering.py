"""The built-ins that compare and sort terms, as ProbLog's engine calls them, and unification for built-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Unpack

from problog.engine_stack import BooleanBuiltIn, SimpleBuiltIn
from problog.engine_unify import UnifyError, substitute_simple, unify_value
from problog.errors import GroundingError

from deepplp.grounding.ordering import COMPARISONS_OF_TERMS, LIST_TESTS, ORDERING_FUNCTIONS, ArgumentFaultError
from deepplp.grounding.problog.vocabulary import (
    Argument,
    Arguments,
    Bindings,
    CallOptions,
    NamedBuiltin,
    Solution,
)

__all__ = ["Ordering", "ordering_builtins", "unified"]


def ordering_builtins() -> Iterator[NamedBuiltin]:
    """Name, arity and function of every built-in that compares or sorts terms."""
    for signature, compare in {**COMPARISONS_OF_TERMS, **LIST_TESTS}.items():
        yield *_named(signature), BooleanBuiltIn(Ordering(compare, None))
    for signature, ordering in ORDERING_FUNCTIONS.items():
        yield *_named(signature), SimpleBuiltIn(Ordering(ordering.function, ordering.output))


def _named(signature: str) -> tuple[str, int]:
    name, _, arity = signature.rpartition("/")
    return name, int(arity)


class Ordering:
    """A function of terms alone as a built-in: a test, or (``output``) what computes one of its arguments."""

    def __init__(self, function: Callable[..., Any], output: int | None) -> None:
        self.function = function
        self._output = output

    def __call__(self, *arguments: Argument, **call: Unpack[CallOptions]) -> object:
        try:
            found = self.function(*arguments)
        except ArgumentFaultError as fault:
            raise GroundingError(str(fault), location=call.get("location")) from None
        if self._output is None:
            return found
        return [] if found is None else unified(arguments, self._output, found)


def unified(arguments: Arguments, number: int, found: Argument) -> list[Solution]:
    """The arguments of a call, of which one is to be ``found``: what that binds is bound in the others, too."""
    bound: Bindings = {}
    try:
        unify_value(arguments[number], found, bound)
    except UnifyError:
        return []
    answer = [*arguments]
    answer[number] = found
    values = _Bound(bound)
    for _ in range(len(bound)):  # a variable may be bound to a term that holds another one
        answer = [substitute_simple(a, values) for a in answer]
    return [answer]


class _Bound:
    """Variables by what unification has bound them to, or themselves."""

    def __init__(self, values: Bindings) -> None:
        self._values = values

    def __getitem__(self, variable: int) -> Argument:
        return self._values.get(variable, variable)
