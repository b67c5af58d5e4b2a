"""``is/2`` and the comparisons of numbers, as ProbLog has them, on functions that make no number too large."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Unpack, cast

from problog.engine_builtin import check_mode
from problog.engine_stack import SimpleBuiltIn, SimpleProbabilisticBuiltIn
from problog.engine_unify import UnifyError, unify_value

from deepplp.errors import UnsupportedConstructError
from deepplp.grounding.problog.target import ProblogTarget
from deepplp.grounding.problog.vocabulary import (
    Argument,
    BuiltinFunction,
    CallOptions,
    FormulaWriter,
    ProbableSolution,
    Solution,
)
from deepplp.grounding.target import FALSE_KEY, TRUE_KEY, Key
from deepplp.grounding.tensor_arithmetic import Decision, comparison, holds_tensor, is_tensor, tensor_number
from deepplp.program import Constant, Term, value_of, written

__all__ = ["ARITHMETIC", "decided"]


def _assign(left: Argument, right: Term, **call: Unpack[CallOptions]) -> list[ProbableSolution]:
    """``Left is Right``; of tensors it makes the term that says how Left is computed, or compares Left with it."""
    check_mode((left, right), ["*g"], functor="is", **call)
    if holds_tensor(right, inputs := call["engine"].inputs):
        made = tensor_number(right, inputs)
        if isinstance(left, Term) and left.is_ground() and left != made:
            is_number = isinstance(left, Constant) and not isinstance(left.functor, str)
            key = _compared("=:=", left, made, call) if is_number or is_tensor(left, inputs) else FALSE_KEY
            return [] if key is FALSE_KEY else [((left, right), key)]
        return _assigned(left, made, right)
    value = written(value_of(right, call["engine"].functions))
    if value is None:
        return []
    return _assigned(left, Constant(value), right)


def _assigned(left: Argument, made: Term, right: Term) -> list[ProbableSolution]:
    try:
        unify_value(left, made, {})
    except UnifyError:
        return []
    return [((made, right), TRUE_KEY)]


def _successor(low: Argument, high: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
    """``succ(Low, High)``: Low is a natural number, so that nothing comes before 0."""
    mode = check_mode((low, high), ["vI", "Iv", "II"], functor="succ", **call)
    if mode == 0:
        value = int(cast(Term, high)) - 1
        return [] if value < 0 else [(Constant(value), high)]
    value = int(cast(Term, low)) + 1
    return [(low, Constant(value))] if mode == 1 or int(cast(Term, high)) == value else []


def _comparison(name: str, compare: Callable[[Any, Any], bool]) -> BuiltinFunction:
    def holds(left: Term, right: Term, **call: Unpack[CallOptions]) -> list[ProbableSolution]:
        check_mode((left, right), ["gg"], functor=name, **call)
        if holds_tensor(left, inputs := call["engine"].inputs) or holds_tensor(right, inputs):
            return [((left, right), _compared(name, left, right, call))]
        a, b = (value_of(side, call["engine"].functions) for side in (left, right))
        return [((left, right), TRUE_KEY)] if a is not None and b is not None and compare(a, b) else []

    return holds


def _compared(name: str, left: Term, right: Term, call: CallOptions) -> Key:
    """The key of a comparison of tensors."""
    return decided(comparison(name, left, right, call["engine"].inputs, call.get("location")), call)


def decided(decision: Decision, call: CallOptions) -> Key:
    """The key of what tensors decide, in the ground program that a call adds to."""
    target = call["target"]
    if not isinstance(target, ProblogTarget):
        raise UnsupportedConstructError(
            "subquery/2 makes a number of a goal that compares tensors, which differ from row to row; use the goal "
            "itself, or evidence",
            call["engine"].locate(call.get("location")),
        )
    return decision.key(target.add_atom)


def _with_nodes(name: str, function: BuiltinFunction) -> BuiltinFunction:
    """A built-in whose certain answers have nodes in a formula that keeps all: findall/3 orders its proofs by them."""

    def solve(*arguments: Argument, **call: Unpack[CallOptions]) -> list[ProbableSolution]:
        found = cast(list[ProbableSolution], function(*arguments, **call))
        return [(result, _node(Term(name, *result), key, call["target"])) for result, key in found]

    return solve


def _node(goal: Term, key: Key, target: FormulaWriter) -> Key:
    if key != TRUE_KEY or not target.keep_all:
        return key
    return target.add_atom(goal, None, None, name=goal, source="builtin")


_COMPARISONS = (
    ("<", operator.lt),
    (">", operator.gt),
    ("=<", operator.le),
    (">=", operator.ge),
    ("=:=", operator.eq),
    ("=\\=", operator.ne),
)

ARITHMETIC: Sequence[tuple[str, int, BuiltinFunction]] = (
    ("is", 2, SimpleProbabilisticBuiltIn(_with_nodes("is", _assign))),
    ("succ", 2, SimpleBuiltIn(_successor)),
    *(
        (name, 2, SimpleProbabilisticBuiltIn(_with_nodes(name, _comparison(name, compare))))
        for name, compare in _COMPARISONS
    ),
)
"""Name, arity and function of each."""
