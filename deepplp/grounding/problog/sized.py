"""Built-ins that make as much as one of their arguments says: they refuse what no memory holds before they make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Unpack

from problog.engine_stack import SimpleBuiltIn
from problog.logic import is_variable

from deepplp.errors import BudgetExceededError
from deepplp.grounding.problog.vocabulary import Argument, BuiltinFunction, CallOptions, NamedBuiltin
from deepplp.program import Constant

__all__ = ["sized_builtins"]

_MOST = 10_000_000  # answers, or arguments of a term, that are made at once: some gigabytes


def sized_builtins(original: Callable[[str], BuiltinFunction]) -> Iterator[NamedBuiltin]:
    """Name, arity and function of each; ``original`` gives those that they stand in for."""
    yield "between", 3, SimpleBuiltIn(_sized(original("between/3"), "between/3", "answers", _between))
    yield "length", 2, SimpleBuiltIn(_sized(original("length/2"), "length/2", "items of a list", _length))
    yield "functor", 3, SimpleBuiltIn(_sized(original("functor/3"), "functor/3", "arguments of a term", _functor))


def _between(low: Argument, high: Argument, value: Argument) -> int:
    return _number(high) - _number(low) + 1 if is_variable(value) else 0


def _length(items: Argument, length: Argument) -> int:
    return _number(length)


def _functor(term: Argument, name: Argument, arity: Argument) -> int:
    return _number(arity) if is_variable(term) else 0


def _number(term: Argument) -> int:
    return term.functor if isinstance(term, Constant) and isinstance(term.functor, int) else 0


def _sized(builtin: BuiltinFunction, name: str, what: str, count: Callable[..., int]) -> BuiltinFunction:
    function: BuiltinFunction = builtin.base_function  # type: ignore[attr-defined]

    def solve(*arguments: Argument, **call: Unpack[CallOptions]) -> object:
        if count(*arguments) > _MOST:
            engine = call.get("engine")
            raise BudgetExceededError(
                f"{name} would make more than {_MOST:,} {what} here; ask for fewer",
                None if engine is None else engine.locate(call.get("location")),
            )
        return function(*arguments, **call)

    return solve
