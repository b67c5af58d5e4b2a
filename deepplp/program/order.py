"""The order of answers: the standard order of terms of ISO Prolog."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from problog.logic import Constant, Term

__all__ = ["standard_order_key", "standard_order_keys"]


def standard_order_key(term: Any) -> tuple[Any, ...]:
    """A sort key for ground terms.

    Numbers by value, then atoms and strings by text, then compounds by arity, name and arguments.

    >>> from problog.logic import Term, Constant
    >>> sorted([Term("b"), Constant(10), Constant(9), Term("f", Term("a")), Term("a")], key=standard_order_key)
    [9, 10, a, b, f(a)]
    """
    # An explicit stack would have to rebuild the nesting; a flat prefix encoding compares the same way.
    key: list[tuple[Any, ...]] = []
    stack = [term]
    while stack:
        current = stack.pop()
        if isinstance(current, Constant) and isinstance(current.value, (int, float)):
            key.append((0, current.value, isinstance(current.value, int)))
        elif not isinstance(current, Term):
            key.append((-1, str(current)))
        elif current.arity == 0:
            key.append((1, str(current)))
        else:
            key.append((2, current.arity, str(current.functor)))
            stack.extend(reversed(current.args))
    return tuple(key)


def standard_order_keys(terms: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The sort keys of several terms."""
    return [standard_order_key(term) for term in terms]
