"""Aggregates as ProbLog's engine calls them: the solutions of a goal, each with its node, folded into values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack, cast

from problog.engine_stack import SimpleProbabilisticBuiltIn
from problog.engine_unify import UnifyError, unify_value
from problog.logic import is_variable

from deepplp.errors import BudgetExceededError, GroundingError, NonGroundError, NoValueError, Position
from deepplp.grounding.aggregates import (
    AGGREGATE,
    AGGREGATE_ARITY,
    AGGREGATES,
    AggregateFaultError,
    aggregated,
    kind_of,
)
from deepplp.grounding.chains import Ground, TooManyStatesError
from deepplp.grounding.ordering import LIST_TESTS
from deepplp.grounding.problog.arithmetic import decided
from deepplp.grounding.problog.collect import collected
from deepplp.grounding.problog.ordering import Ordering
from deepplp.grounding.problog.propagation import heads_of
from deepplp.grounding.problog.recognition import aggregate_of
from deepplp.grounding.problog.solvers import Probabilistic
from deepplp.grounding.problog.vocabulary import (
    Argument,
    Arguments,
    BuiltinFunction,
    CallOptions,
    FormulaWriter,
    NamedBuiltin,
    ProbableSolution,
)
from deepplp.grounding.target import GroundAnd, GroundAtom
from deepplp.grounding.tensor_aggregates import tensor_aggregate
from deepplp.grounding.tensor_arithmetic import comparison
from deepplp.program import Constant, Term, is_ground, list_items, readable

__all__ = ["aggregate_builtins", "aggregate_solvers"]

_TESTS = ("all_different", "ordered")
_OTHERS = "count, sum(X), avg(X), max(X), min(X), max(X, Witness) and min(X, Witness)"


def aggregate_builtins() -> Iterator[NamedBuiltin]:
    """The built-in that the aggregates of clauses are calls of."""
    yield AGGREGATE, AGGREGATE_ARITY, SimpleProbabilisticBuiltIn(_aggregate)


def aggregate_solvers() -> Iterator[NamedBuiltin]:
    """Name, arity and solver of every aggregate as a predicate, for goals that are put together as they are called."""
    for name in _TESTS:
        yield name, 1, _test(Ordering(LIST_TESTS[f"${name}/1"], None))
    for signature in dict.fromkeys(a.name for kind, a in AGGREGATES.items() if not a.is_of_list):
        name, _, arity = signature.rpartition("/")
        yield name, int(arity), Probabilistic(_called(name))


def _test(ordering: Ordering) -> BuiltinFunction:
    def solve(items: Argument, **call: Unpack[CallOptions]) -> list[Arguments]:
        return [(items,)] if ordering(items, **call) else []

    return solve


def _called(name: str) -> BuiltinFunction:
    """An aggregate of which nothing is known but its arguments."""

    def solve(*arguments: Argument, **call: Unpack[CallOptions]) -> list[ProbableSolution]:
        found = aggregate_of(Term(name, *arguments))
        if found is None:
            raise GroundingError(
                f"aggregate_all/3 takes {_OTHERS}, not {readable(arguments[0])}; findall/3 lists what bag(X) or set(X) "
                "would",
                call["engine"].locate(call.get("location")),
            )
        kind, template, goal, result = found
        values = _values(kind, template, goal, result, (), call)
        place = arguments.index(result) if result in arguments else None
        return [
            (arguments if place is None else (*arguments[:place], value, *arguments[place + 1 :]), node)
            for value, node in values
        ]

    return solve


def _aggregate(
    kind: Term, template: Argument, goal: Argument, result: Argument, outer: Term, inner: Term,
    **call: Unpack[CallOptions],
) -> list[ProbableSolution]:  # fmt: skip
    """``'$aggregate'(Kind, Template, Goal, Result, Outer, Inner)``: see `AGGREGATE`."""
    aggregate = AGGREGATES[kind_of(kind)]
    name = aggregate.collector
    _check_goal(name, goal, aggregate.is_limit, call["engine"].locate(call.get("location")))
    for variable, value in _named(outer):
        if not is_ground(value):
            raise NonGroundError(
                f"{name} is reached while {variable} is not bound, which other goals of this clause share: bind it in "
                f"a goal before, or give the goal of {name} a variable of its own",
                call["engine"].locate(call.get("location")),
            )
    values = _values(kind_of(kind), template, goal, result, _named(inner), call)
    return [((kind, template, goal, value, outer, inner), node) for value, node in values]


def _named(names: Term) -> list[tuple[str, Argument]]:
    """Variables by their names, which stand before them."""
    return [(str(n).strip('"'), v) for n, v in zip(names.args[::2], names.args[1::2], strict=True)]


def _values(
    kind: str, template: Argument, goal: Argument, result: Argument, inner: list[tuple[str, Argument]] | tuple[()],
    call: CallOptions,
) -> list[tuple[Term, int]]:  # fmt: skip
    """The values that fit the result, each with its node; ``inner`` are variables that the goal has to bind."""
    aggregate, target, engine = AGGREGATES[kind], call["target"], call["engine"]
    position = engine.locate(call.get("location"))
    if aggregate.is_limit:
        _check_limit(aggregate.name, result, kind != "exactly", position)
    items = _check_goal(aggregate.collector, goal, aggregate.is_limit, position)
    if items is None:
        solutions = _solutions(aggregate.collector, template, cast(Term, goal), inner, call)
    else:
        solutions = []
        for item in items:
            answers = collected(aggregate.name, Term("x"), item, call, proofs=False)
            holds = target.add_or([a.node for a in answers]) if answers else None
            solutions += [] if holds is None else [(Term("x"), holds)]
    ground = Ground(target, lambda group: heads_of(group, call["database"]), engine.look)
    try:
        tensor = tensor_aggregate(kind, solutions, engine.inputs)
        if tensor is not None and isinstance(result, Constant):
            same = decided(comparison("=:=", result, tensor, engine.inputs, call.get("location")), call)
            return [] if same is None else [(result, same)]
        found = aggregated(kind, solutions, result, ground) if tensor is None else [(tensor, target.TRUE)]
    except AggregateFaultError as fault:
        if fault.is_unbound:
            raise NonGroundError(f"{aggregate.name} {fault}; bind it in the goal", position) from None
        raise NoValueError(f"{aggregate.name} {fault}", position) from None
    except OverflowError as error:  # an integer beyond all floating-point numbers among such
        raise NoValueError(f"{aggregate.name}: this arithmetic has no value: {error}", position) from None
    except TooManyStatesError:
        raise BudgetExceededError(
            f"{aggregate.name} may come to more than 65536 values for the {len(solutions)} solutions of this goal; "
            "bind more of the goal's arguments, or round what is added up",
            position,
        ) from None
    return list(_fitting(found, result, target))


def _solutions(
    name: str, template: Argument, goal: Term, inner: list[tuple[str, Argument]] | tuple[()], call: CallOptions
) -> list[tuple[Term, int]]:
    """What the template becomes in each solution of a goal, with the solution's node."""
    answers = collected(name, Term("s", template, *(v for _, v in inner)), goal, call, proofs=True)
    for answer in answers:
        values = cast(Term, answer.term).args
        for (variable, _), value in zip(inner, values[1:], strict=True):
            if not is_ground(value):
                raise NonGroundError(
                    f"{name} counts a solution of {readable(goal)} that leaves {variable} unbound, and stands for any "
                    f"number of them; bind {variable} in the goal",
                    call["engine"].locate(call.get("location")),
                )
    return [(cast(Term, a.term).args[0], a.node) for a in answers]


def _check_limit(name: str, number: Argument, must_be_bound: bool, position: Position | None) -> None:
    if is_variable(number):
        if must_be_bound:
            raise NonGroundError(f"{name} is reached while its number is not bound; bind it before", position)
        return
    value = number.functor if isinstance(number, Constant) else None
    if type(value) is not int or value < 0:
        raise GroundingError(
            f"the first argument of {name} is how many hold, from 0 on, not {readable(number)}", position
        )


def _check_goal(name: str, goal: Argument, may_be_list: bool, position: Position | None) -> list[Term] | None:
    """The goals of a list, where that may be one; None for a goal."""
    if is_variable(goal):
        raise NonGroundError(f"{name} is reached while its goal is not bound; bind it before the call", position)
    assert isinstance(goal, Term)
    items = list_items(goal) if may_be_list and goal.signature in ("./2", "[]/0") else None
    for item in items or ():
        _check_goal(name, item, False, position)
    if items is None and (isinstance(goal, Constant) or goal.signature in ("./2", "[]/0")):
        what = "a goal, or a list of goals whose end is known," if may_be_list else "goals,"
        raise GroundingError(f"{name} takes {what} not {readable(goal)}", position)
    return items


def _fitting(found: list[tuple[Term, int]], result: Argument, target: FormulaWriter) -> Iterator[tuple[Term, int]]:
    """The values that unify with the result."""
    for value, node in found:
        try:
            made = value if is_variable(result) else unify_value(value, result, {})
        except UnifyError:
            continue
        yield made, _single_proof(node, target) if target.keep_all else node


def _single_proof(node: int, target: FormulaWriter) -> int:
    """A literal for a node where all proofs are kept: those of the conditions are no proofs of the value."""
    found = None if node <= 0 else target.node(node)
    if found is None or isinstance(found, GroundAtom) or not all(found.children):
        return node
    denied = [-c for c in found.children if c]
    opposite = target.add_or(denied) if isinstance(found, GroundAnd) else target.add_and(denied)
    return node if opposite is None else -opposite
