"""What aggregates make of the solutions of a goal: counts, sums, extremes, means, and tests of all values.

Each is a fold (see `deepplp.grounding.chains`), so that no set of solutions is ever listed. Where no solution holds,
the count and the sum are 0, and there is no greatest, no least and no mean value.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from deepplp.grounding.chains import Fold, Ground, Solution, fold
from deepplp.grounding.target import TRUE_KEY, Key
from deepplp.program import Constant, Term, is_ground, number_of, readable, standard_order_key

__all__ = [
    "AGGREGATE",
    "AGGREGATES",
    "AGGREGATE_ARITY",
    "AGGREGATE_SIGNATURES",
    "Aggregate",
    "AggregateFaultError",
    "aggregated",
    "kind_of",
    "written_signature",
]

AGGREGATE: Final = "$aggregate"
"""The built-in ``'$aggregate'(Kind, Template, Goal, Result, Outer, Inner)``, which aggregates of clauses are calls of.

``Outer`` are variables of the goal that have to be bound when it is called, ``Inner`` those that its solutions have to
bind: each a term of names and variables, by turns.
"""
AGGREGATE_ARITY: Final = 6

_Found: TypeAlias = tuple[Term, Key]
_Number: TypeAlias = tuple[bool, int | float]
"""A number and, before it, whether it is a float: 1 and 1.0 are two terms."""
_Ranked: TypeAlias = tuple[int | float, object]
"""A number that terms are compared by, and what tells the term from others."""
_Best: TypeAlias = _Ranked | tuple[()]
_Solutions: TypeAlias = Sequence[Solution[Term]]
_Values: TypeAlias = Callable[[_Solutions, object, Ground], Iterable[_Found]]

_TESTS = frozenset({"all_different/1", "ordered/1"})  # of lists
_TRUTH = Term("true")


class AggregateFaultError(ValueError):
    """A solution is not what the aggregate takes; the text says why, as what follows upon the aggregate's name.

    ``is_unbound`` says that it holds a variable.
    """

    def __init__(self, message: str, *, is_unbound: bool = False) -> None:
        super().__init__(message)
        self.is_unbound = is_unbound


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One of the aggregates.

    ``name`` is the signature by which programs call it. ``values`` takes the solutions, what the value is to be, the
    ground program. ``is_limit`` says that the value is a number that is given: how many
    solutions there are to be, ``is_of_list`` that the solutions are what findall/3 would list.
    """

    name: str
    values: _Values
    is_limit: bool = False
    is_of_list: bool = False

    @property
    def collector(self) -> str:
        """The signature of the goal that finds the solutions: findall/3 where the aggregate is that of a list."""
        return "findall/3" if self.is_of_list else self.name


def aggregated(
    kind: str, solutions: Iterable[tuple[Term, int]], result: object, ground: Ground
) -> list[tuple[Term, int]]:
    """The values of an aggregate, each with the node of the worlds in which it is that.

    A solution is what the template has become, and its node. ``result`` is what the value is to be unified with; for a
    test it is ``true``.

    Raises:
        AggregateFaultError: a value is not what the aggregate takes.
        TooManyStatesError: there are too many values.
    """
    given = [Solution(term, condition) for term, condition in solutions]
    found = AGGREGATES[kind].values(given, result, ground)
    return [(value, node) for value, node in found if node is not None]


def _count(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
    wanted = _integer(result)
    window = None if wanted is None else (wanted, wanted)
    return [(Constant(n), node) for n, node in _counted(solutions, window, None, ground)]


def _counted(
    solutions: Iterable[Solution[Term]], window: tuple[int, float] | None, most: int | None, ground: Ground,
) -> list[tuple[int, int]]:  # fmt: skip
    """How many hold, each number with its node; ``most`` stands for more than that, too."""

    def add(count: int, one: int) -> int:
        return count + one if most is None else min(count + one, most)

    ones = [Solution(1, s.condition) for s in solutions]
    return sorted(fold(ones, Fold(0, add, window=window, size=_itself), ground).items())


def _at_least(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
    number = _integer(result)
    assert isinstance(result, Term)
    assert number is not None
    if number == 0:
        return [(result, TRUE_KEY)]
    return [(result, node) for _, node in _counted(solutions, (number, math.inf), number, ground)]


def _at_most(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
    number = _integer(result)
    assert isinstance(result, Term)
    assert number is not None
    return [(result, _below(solutions, number + 1, ground))]


def _below(solutions: Iterable[Solution[Term]], number: int, ground: Ground) -> Key:
    """The node of the worlds in which fewer than a number of solutions hold."""
    many = _counted(solutions, (number, math.inf), number, ground)
    return ground.target.negate(many[0][1] if many else None)


def _sum(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
    given = _numbers(solutions, "adds up")
    wanted = _integer(result)
    rounded = any(is_float for (is_float, _), _ in given)
    if wanted is None or rounded:
        start: _Number = (False, 0)
        found = fold(given, Fold(start, _added, in_order=rounded), ground)
        return [(Constant(n), node) for (_, n), node in sorted(found.items(), key=lambda item: item[0][::-1])]
    whole = [Solution(int(n), condition) for (_, n), condition in given]
    kind = Fold(0, int.__add__, window=(wanted, wanted), size=_itself)
    return [(Constant(n), node) for n, node in fold(whole, kind, ground).items()]


def _added(total: _Number, number: _Number) -> _Number:
    value = total[1] + number[1]
    return isinstance(value, float), value


def _mean(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
    given = _numbers(solutions, "takes the mean of")

    def add(state: tuple[int, _Number], number: _Number) -> tuple[int, _Number]:
        return state[0] + 1, _added(state[1], number)

    rounded = any(is_float for (is_float, _), _ in given)
    start: tuple[int, _Number] = (0, (False, 0))
    means: dict[float, list[Key]] = defaultdict(list)
    for (count, (_, total)), node in fold(given, Fold(start, add, in_order=rounded), ground).items():
        if count:
            means[total / count].append(node)
    return [(Constant(mean), ground.target.add_or(nodes)) for mean, nodes in sorted(means.items())]


def _extreme(rank: Callable[[Term], tuple[Term, Term]], *, greatest: bool, last: bool) -> _Values:
    """What is greatest or least, the ``last`` or first of equal ones.

    ``rank`` gives the term that has to be a number, and what the value is where it is the greatest or least.
    """

    def add(best: _Best, other: _Ranked) -> _Best:
        if not best or best[0] == other[0]:
            return other if not best or last else best
        return best if (best[0] > other[0]) == greatest else other

    def values(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
        shown: dict[object, Term] = {}
        given: list[Solution[_Ranked]] = []
        for term, condition in solutions:
            number, value = rank(_bound(term, "compares"))
            key = standard_order_key(value)
            shown[key] = value
            given.append(Solution((_number(number, "compares"), key), condition))
        several = len({number for (number, _), _ in given}) < len({weight for weight, _ in given})
        start: _Best = ()
        found = fold(given, Fold(start, add, in_order=several), ground)
        return [(shown[best[1]], node) for best, node in sorted(found.items()) if best]

    return values


def _evaluated(term: Term) -> tuple[Term, Term]:
    return term, Constant(_number(term, "compares"))


def _as_it_is(term: Term) -> tuple[Term, Term]:
    return term, term


def _with_witness(term: Term) -> tuple[Term, Term]:
    return term.args[0], term.with_args(Constant(_number(term.args[0], "compares")), term.args[1])


def _different(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
    """No value twice: of each value, fewer than two solutions hold."""
    by_value: dict[object, list[Solution[Term]]] = defaultdict(list)
    for s in solutions:
        by_value[standard_order_key(_bound(s.weight, "compares"))].append(s)
    node: Key = TRUE_KEY
    for same in by_value.values():
        once = _below(same, 2, ground)
        node = None if node is None or once is None else ground.target.conjoin(node, once)
    return [(_TRUTH, node)]


def _ordered(solutions: _Solutions, result: object, ground: Ground) -> Iterable[_Found]:
    """No value that comes before the one in front of it."""
    keys = [standard_order_key(_bound(s.weight, "compares")) for s in solutions]
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}

    def add(last: int, rank: int) -> int | None:
        return rank if last <= rank else None

    given = [Solution(ranks[key], s.condition) for key, s in zip(keys, solutions, strict=True)]
    found = fold(given, Fold(-1, add, in_order=True), ground)
    return [(_TRUTH, ground.target.add_or(list(found.values())))] if found else []


def _numbers(solutions: _Solutions, verb: str) -> list[Solution[_Number]]:
    found: list[Solution[_Number]] = []
    for term, condition in solutions:
        value = _number(_bound(term, verb), verb)
        found.append(Solution((isinstance(value, float), value), condition))
    return found


def _number(term: Term, verb: str) -> int | float:
    try:
        return number_of(term)
    except ValueError as error:
        raise AggregateFaultError(f"{verb} numbers, and {error}") from None


def _bound(term: Term, verb: str) -> Term:
    if not isinstance(term, Term) or not is_ground(term):
        raise AggregateFaultError(f"{verb} {readable(term)}, which a solution leaves unbound", is_unbound=True)
    return term


def _integer(term: object) -> int | None:
    value = term.functor if isinstance(term, Constant) else None
    return value if type(value) is int else None


def _itself(number: int) -> int:
    return number


AGGREGATES: Mapping[str, Aggregate] = MappingProxyType(
    {
        "count": Aggregate("aggregate_all/3", _count),
        "sum": Aggregate("aggregate_all/3", _sum),
        "avg": Aggregate("aggregate_all/3", _mean),
        "max": Aggregate("aggregate_all/3", _extreme(_evaluated, greatest=True, last=False)),
        "min": Aggregate("aggregate_all/3", _extreme(_evaluated, greatest=False, last=False)),
        "max_witness": Aggregate("aggregate_all/3", _extreme(_with_witness, greatest=True, last=False)),
        "min_witness": Aggregate("aggregate_all/3", _extreme(_with_witness, greatest=False, last=False)),
        "exactly": Aggregate("exactly/2", _count, is_limit=True),
        "at_least": Aggregate("at_least/2", _at_least, is_limit=True),
        "at_most": Aggregate("at_most/2", _at_most, is_limit=True),
        "all_different": Aggregate("all_different/2", _different),
        "ordered": Aggregate("ordered/2", _ordered),
        "length/2": Aggregate("length/2", _count, is_of_list=True),
        "sum_list/2": Aggregate("sum_list/2", _sum, is_of_list=True),
        "sumlist/2": Aggregate("sumlist/2", _sum, is_of_list=True),
        "max_list/2": Aggregate("max_list/2", _extreme(_as_it_is, greatest=True, last=True), is_of_list=True),
        "min_list/2": Aggregate("min_list/2", _extreme(_as_it_is, greatest=False, last=True), is_of_list=True),
        "all_different/1": Aggregate("all_different/1", _different, is_of_list=True),
        "ordered/1": Aggregate("ordered/1", _ordered, is_of_list=True),
    }
)
"""By kind, which is a signature where the aggregate is that of a list."""

AGGREGATE_SIGNATURES = frozenset(a.name for kind, a in AGGREGATES.items() if not a.is_of_list or kind in _TESTS)
"""Those that are no predicates of ProbLog's: they give way to a program's own."""


def kind_of(argument: object) -> str:
    """The kind that the built-in's first argument names."""
    return str(argument).strip("'")


def written_signature(functor: object, arguments: Sequence[object]) -> str:
    """The signature of a goal as the program writes it, where it may be a call of the built-in."""
    name = str(functor).strip("'")
    if name == AGGREGATE and len(arguments) == AGGREGATE_ARITY:
        return AGGREGATES[kind_of(arguments[0])].collector
    return f"{name}/{len(arguments)}"
