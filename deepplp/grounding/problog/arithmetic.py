"""``is/2`` and the comparisons of numbers, as ProbLog has them, on functions that make no number too large."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Unpack, cast

from problog.engine_builtin import check_mode
from problog.engine_stack import BooleanBuiltIn, SimpleBuiltIn
from problog.engine_unify import UnifyError, unify_value

from deepplp.grounding.problog.vocabulary import Argument, BuiltinFunction, CallOptions, Solution
from deepplp.program import Constant, Term, value_of, written

__all__ = ["ARITHMETIC"]


def _assign(left: Argument, right: Term, **call: Unpack[CallOptions]) -> list[Solution]:
    """``Left is Right``."""
    check_mode((left, right), ["*g"], functor="is", **call)
    value = written(value_of(right, call["engine"].functions))
    if value is None:
        return []
    made = Constant(value)
    try:
        unify_value(left, made, {})
    except UnifyError:
        return []
    return [(made, right)]


def _successor(low: Argument, high: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
    """``succ(Low, High)``: Low is a natural number, so that nothing comes before 0."""
    mode = check_mode((low, high), ["vI", "Iv", "II"], functor="succ", **call)
    if mode == 0:
        value = int(cast(Term, high)) - 1
        return [] if value < 0 else [(Constant(value), high)]
    value = int(cast(Term, low)) + 1
    return [(low, Constant(value))] if mode == 1 or int(cast(Term, high)) == value else []


def _comparison(name: str, compare: Callable[[Any, Any], bool]) -> BuiltinFunction:
    def holds(left: Term, right: Term, **call: Unpack[CallOptions]) -> bool:
        check_mode((left, right), ["gg"], functor=name, **call)
        a, b = (value_of(side, call["engine"].functions) for side in (left, right))
        return a is not None and b is not None and compare(a, b)

    return holds


_COMPARISONS = (
    ("<", operator.lt),
    (">", operator.gt),
    ("=<", operator.le),
    (">=", operator.ge),
    ("=:=", operator.eq),
    ("=\\=", operator.ne),
)

ARITHMETIC: Sequence[tuple[str, int, BuiltinFunction]] = (
    ("is", 2, SimpleBuiltIn(_assign)),
    ("succ", 2, SimpleBuiltIn(_successor)),
    *((name, 2, BooleanBuiltIn(_comparison(name, compare))) for name, compare in _COMPARISONS),
)
"""Name, arity and function of each."""
