"""Whether goals of ProbLog's engine grow without end: calls that make greater calls, answers that make greater ones.

ProbLog's engine copies terms, so that a goal takes it as long as its terms are large. What is counted is therefore the
size of every call and answer that is greater than all before it, not their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from problog.eval_nodes import ResultSet

from deepplp.grounding.clause_base import Location
from deepplp.grounding.ground_budget import GroundMeter
from deepplp.grounding.problog.vocabulary import Arguments, StackRecord
from deepplp.grounding.target import Key
from deepplp.program import Constant, Term

__all__ = ["Growth", "recursive_clause"]

_LEAST = 10  # what an answer without terms counts: this engine takes ten times as long as the tabled one


class _Extent(NamedTuple):
    """How many parts terms have, what copying them takes, and the greatest number in them, whatever its sign."""

    size: int
    cost: int
    number: float


class _Largest(NamedTuple):
    """The largest call of a predicate, how deep in the stack that was, and what it and those above it count."""

    extent: _Extent
    pointer: int
    growth: int


class Growth:
    """Counts for one run.

    ``call_place`` says where the clause stands that makes a call, and ``answer_place`` where the one that makes answers
    of a goal's answers stands.
    """

    def __init__(
        self, meter: GroundMeter, call_place: Callable[[], Location], answer_place: Callable[[StackRecord], Location]
    ) -> None:
        self._meter = meter
        self._call_place = call_place
        self._answer_place = answer_place
        self._largest: dict[str, _Largest] = {}

    def call(self, functor: str, arguments: Arguments, pointer: int) -> None:
        """Count a call that is larger than those of its predicate which wait for it."""
        if not any(isinstance(a, Term) and (a.args or isinstance(a, Constant)) for a in arguments):
            return
        extent = _extent(arguments)
        before = self._largest.get(functor)
        if before is None or pointer <= before.pointer:
            self._largest[functor] = _Largest(extent, pointer, 0)
        elif extent.size > before.extent.size or extent.number > before.extent.number:
            growth = before.growth + _LEAST + extent.size // 4
            self._largest[functor] = _Largest(_greatest(extent, before.extent), pointer, growth)
            goal = Term(functor, *arguments)
            self._meter.check_growth(growth, self._call_place, lambda: goal, lambda: goal)

    def watch(self, record: StackRecord) -> None:
        """Count the answers of a goal from now on."""
        record.results = _CountedAnswers(self, record)

    def answer(self, record: StackRecord, growth: int, last: Arguments) -> None:
        """End a goal whose answers have grown too far."""
        functor = record.node.functor
        self._meter.check_growth(
            growth,
            lambda: self._answer_place(record),
            lambda: Term(functor, *record.context),
            lambda: Term(functor, *last),
        )


class _CountedAnswers(ResultSet):  # type: ignore[misc]  # problog has no types
    """The answers of a goal, of which the greatest are counted where the goal is on a cycle."""

    def __init__(self, growth: Growth, record: StackRecord) -> None:
        super().__init__()
        self._growth = growth
        self._record = record
        self._greatest = _Extent(0, 0, 0.0)
        self._sum = 0

    def __setitem__(self, answer: Arguments, node: Key) -> None:
        super().__setitem__(answer, node)
        if not self.collapsed:  # it is not on a cycle, so that its answers make no others
            return
        extent = _extent(answer)
        if extent.size > self._greatest.size or extent.number > self._greatest.number:
            self._greatest = _greatest(extent, self._greatest)
            self._sum += _LEAST + extent.cost
            self._growth.answer(self._record, self._sum, answer)


def recursive_clause(record: StackRecord) -> int | None:
    """The last clause of a goal's predicate that calls the predicate itself, or else the last one that is no fact."""
    database = record.database
    found: int | None = None
    for number in database.get_node(database.find(Term(record.node.functor, *record.context))).children:
        clause = database.get_node(number)
        if type(clause).__name__ != "clause":
            continue
        stack, is_recursive = [clause.child], False
        while stack and not is_recursive:
            node = database.get_node(stack.pop())
            if type(node).__name__ == "call":
                is_recursive = node.functor == record.node.functor
            else:
                stack += [node.child] if hasattr(node, "child") else getattr(node, "children", ())
        if is_recursive or found is None:
            found = number
    return found


def _extent(arguments: Iterable[object]) -> _Extent:
    size = digits = 0
    number = 0.0
    is_ground = True
    stack: list[object] = list(arguments)
    while stack:
        term = stack.pop()
        size += 1
        if not isinstance(term, Term):
            is_ground = False
        elif term.args:
            stack.extend(term.args)
        elif not isinstance(term, Constant) or isinstance(term.functor, str):
            size += len(str(term.functor)) // 8
        else:
            number = max(number, abs(term.functor))
            digits += term.functor.bit_length() // 16 if isinstance(term.functor, int) else 0
    # A ground answer shares most of its parts with the one that it is made of.
    return _Extent(size, digits + size // (16 if is_ground else 2), number)


def _greatest(one: _Extent, other: _Extent) -> _Extent:
    return _Extent(max(one.size, other.size), one.cost, max(one.number, other.number))
