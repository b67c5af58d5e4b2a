"""What grounding may cost, and the meter that stops it there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from deepplp.apart import ApartError, call_apart
from deepplp.errors import BudgetExceededError, Position
from deepplp.grounding.clause_base import Location
from deepplp.limits import check_limits
from deepplp.program import Term, abbreviated, without_scope
from deepplp.watch import Used, call_watched

__all__ = ["GroundBudget", "GroundMeter", "StoppedAt"]

T = TypeVar("T")

_MOST_OPEN = 250_000  # goals that wait for one another, which take 1 GB
_MOST_ANSWERS = 1_000_000
_MOST_GROWTH = 200_000  # new answers of a goal that are made of its own, which take seconds
_MANY = 1_000  # goals of one predicate, which then say more than the one in which grounding was stopped
_GOALS_PER_LOOK = 256  # goals between two looks at the clock: some milliseconds


@dataclass(frozen=True, slots=True)
class GroundBudget:
    """The time and the memory that grounding one query may take; exceeding either is a `BudgetExceededError`.

    ``seconds`` counts all that is asked together, and so do the others. ``goals`` are different calls, which take about
    a kilobyte each. ``memory`` is in bytes: it counts by how much the process grows meanwhile, whatever in it grows,
    and a little more than that may be taken before it is noticed. Loading the program may take as much again. None is
    no limit.

    Raises:
        QueryError: a limit is neither a number above 0 nor None.
    """

    seconds: float | None = 600.0
    goals: int | None = 4_000_000
    memory: float | None = 4 << 30

    def __post_init__(self) -> None:
        check_limits(seconds=self.seconds, goals=self.goals, memory=self.memory)


class StoppedAt(NamedTuple):
    """The goal that was being evaluated when grounding was stopped, such as ``"between/3"``, and its place."""

    goal: str
    place: Location | Position


class GroundMeter:
    """What grounding one query has taken so far. Its time begins when the meter is made.

    The runs of engines that ground the query, one after the other, share the time; their goals are counted anew.
    """

    def __init__(self, budget: GroundBudget) -> None:
        self._budget = budget
        self._deadline = None if budget.seconds is None else time.monotonic() + budget.seconds
        self._asked: tuple[Term, ...] | None = None
        self.begin(lambda location: None)

    def ask(self, queries: tuple[Term, ...]) -> None:
        """Note what is asked, of which the user is told where grounding takes long."""
        self._asked = queries

    def begin(self, locate: Callable[[Location], Position | None]) -> None:
        """Begin a run of an engine; ``locate`` turns a place of a clause into a position."""
        self._locate = locate
        self._counts: dict[tuple[str, int], int] = {}
        self._places: dict[tuple[str, int], Location] = {}
        self._goals = 0

    def watched(self, work: Callable[[], T]) -> T:
        """The result of ``work()``, which is ended where the budget is exceeded, in whatever predicate that is."""
        return call_watched(work, self._budget.seconds, self._budget.memory, self._stopped, self._doing)

    def apart(self, work: Callable[[], T], at: StoppedAt) -> T:
        """The result of ``work()``, which has no limits within and is done in a process of its own."""
        left = None if self._deadline is None else max(0.001, self._deadline - time.monotonic())
        try:
            return call_apart(work, left, self._budget.memory)
        except ApartError as end:
            raise self._stopped("seconds" if end.reason == "seconds" else "memory", [at]) from None

    def _doing(self) -> str:
        """In words what is being done. Other threads may call it."""
        asked = self._asked
        if asked is None:
            what = "reading the program"
        elif not asked:
            what = "grounding the evidence"
        else:
            what = f"grounding {_shown(asked[0])}{f' and {len(asked) - 1:,} more' if len(asked) > 1 else ''}"
        return f"{what}: {self._goals:,} goals"

    def _stopped(self, used: Used, notes: list[object]) -> BudgetExceededError:
        if used == "seconds":
            amount, more = f"more than {self._budget.seconds:g} s", "a budget of more seconds"
        else:
            amount, more = f"more than {(self._budget.memory or 0) / 1e9:.3g} GB of memory", "a budget of more memory"
        at = next((note for note in notes if isinstance(note, StoppedAt)), None)
        if at is None or max(self._counts.values(), default=0) > _MANY:
            return self._exceeded(amount, more)
        return BudgetExceededError(
            f"grounding takes {amount}, and was stopped in {without_scope(at.goal)}: bind more of its arguments before "
            f"it is called, ask for less, or allow more by {more}",
            at.place if isinstance(at.place, Position) else self._locate(at.place),
        )

    def spend(self, functor: str, arity: int, place: Location) -> None:
        """Count a goal; ``place`` is where its predicate is defined or called."""
        key = functor, arity
        self._counts[key] = self._counts.get(key, 0) + 1
        self._goals += 1
        if place is not None and key not in self._places:
            self._places[key] = place
        if self._budget.goals is not None and self._goals > self._budget.goals:
            raise self._exceeded(f"more than {self._budget.goals} goals", "a budget without a limit of nodes")
        if not self._goals % _GOALS_PER_LOOK:
            self.look(None if place is None else StoppedAt(f"{functor}/{arity}", place))

    def check_open(self, waiting: int, place: Callable[[], Location], goal: Callable[[], Term]) -> None:
        """End a recursion while there is memory left. ``place`` says where ``goal`` is called."""
        if waiting > _MOST_OPEN:
            raise BudgetExceededError(
                f"more than {_MOST_OPEN} goals wait for this one, {_shown(goal())}: its recursion does not end, or is "
                "too deep; where it counts down, a goal such as N > 0 before the call ends it",
                self._locate(place()),
            )

    def check_answers(self, answers: int, place: Callable[[], Location], goal: Callable[[], Term]) -> None:
        """End a goal that has too many answers."""
        if answers > _MOST_ANSWERS:
            raise BudgetExceededError(
                f"{_shown(goal())} has more than {_MOST_ANSWERS} answers; bind more of its arguments before it is "
                "called",
                self._locate(place()),
            )

    def check_growth(
        self, growth: int, place: Callable[[], Location], goal: Callable[[], Term], last: Callable[[], Term]
    ) -> None:
        """End a goal whose answers are made of its own answers, or calls of its own calls, for ever.

        Whether that ends cannot be told in general, so that it is a matter of the budget. ``growth`` counts those that
        hold what none held before, ``last`` is one of them, and ``place`` says where it is made.
        """
        if growth > _MOST_GROWTH and self._budget.goals is not None:
            raise BudgetExceededError(
                f"{_shown(goal())} seems to go on without end: what it makes of itself grows, and has come to "
                f"{_shown(last())}; bound it by a comparison, bind more of its arguments before it is called, or allow "
                "more by a budget without a limit of nodes",
                self._locate(place()),
            )

    def look(self, at: StoppedAt | None = None) -> None:
        """Look at the clock, in the middle of a goal."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise self._stopped("seconds", [at])

    def _exceeded(self, amount: str, more: str) -> BudgetExceededError:
        known = max(self._places, key=lambda k: self._counts[k], default=None)
        if known is None:
            return BudgetExceededError(f"grounding takes {amount}; ask for less, or allow more by {more}")
        name, arity = known
        return BudgetExceededError(
            f"grounding takes {amount}, and {self._counts[known]} of its goals are of {without_scope(name)}/{arity}: "
            f"bind more of its arguments before it is called, bound its recursion, or allow more by {more}",
            self._locate(self._places[known]),
        )


def _shown(goal: Term) -> str:
    functor = without_scope(str(goal.functor))
    return abbreviated(Term(functor, *goal.args, priority=goal.op_priority, opspec=goal.op_spec))
