"""What compilation may cost, and the meter that stops it there."""

from __future__ import annotations

import time
from dataclasses import dataclass

from deepplp.limits import check_limits

__all__ = ["CompileBudget", "Meter", "OutOfBudgetError"]

_TRIED = 5  # the part of its steps that an attempt may take, if more are expected than there are
_STEPS_PER_LOOK = 4096  # steps between two looks at the clock: a few milliseconds


@dataclass(frozen=True, slots=True)
class CompileBudget:
    """The time and the size that compiling one query may take; exceeding either is a `BudgetExceededError`.

    ``seconds`` counts all orders that are tried together. ``nodes`` counts what one order's diagram holds at a time:
    nodes, and the states on the way to them (a few hundred bytes each). ``memory`` is in bytes: it counts by how much
    the process grows meanwhile, whatever in it grows. None is no limit.

    Raises:
        QueryError: a limit is neither a number above 0 nor None.
    """

    seconds: float | None = 600.0
    nodes: int | None = 10_000_000
    memory: float | None = 4 << 30

    def __post_init__(self) -> None:
        check_limits(seconds=self.seconds, nodes=self.nodes, memory=self.memory)


class OutOfBudgetError(Exception):
    """An attempt has used up what it was given: its ``limit`` is "seconds", "nodes", "steps" or "memory"."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Meter:
    """Counts the steps and nodes of one attempt to compile.

    A step is one element looked at, or for PySDD one node made. Steps are the same in every process and seconds are
    not, so which order wins depends on steps alone.
    """

    def __init__(self, deadline: float | None = None, nodes: int | None = None, steps: int | None = None) -> None:
        self.steps = 0
        self._deadline = deadline
        self._nodes = nodes
        self._limit = steps
        self._next_look = 0

    def spend(self, steps: int, nodes: int) -> None:
        """Count ``steps`` more, ``nodes`` being alive."""
        self.steps += steps
        if self._nodes is not None and nodes > self._nodes:
            raise OutOfBudgetError("nodes")
        if self._limit is not None and self.steps > self._limit:
            raise OutOfBudgetError("steps")
        if self._deadline is not None and self.steps >= self._next_look:
            self._next_look = self.steps + _STEPS_PER_LOOK
            self.look()

    def expect(self, steps: float) -> None:
        """Say how many more steps it may take. If there are not so many, only a part of them is spent on trying."""
        if self._limit is not None and self.steps + steps > self._limit:
            self._limit = min(self._limit, self.steps + self._limit // _TRIED)

    def look(self) -> None:
        """Look at the clock."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise OutOfBudgetError("seconds")
