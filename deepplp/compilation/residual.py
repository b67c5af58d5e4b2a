"""Formulas two levels deep over numbered signals, and what remains of them as signals become known.

A formula is ``ZERO``, ``ONE``, a signal (an int from 0), or a pair (is it a disjunction?, its items); an item is a
signal or a pair of the other kind that holds signals alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepplp.compilation.compile_budget import Meter

__all__ = ["ONE", "ZERO", "Formula2", "Outcome", "Shapes", "combine", "signals_of", "substitute"]

ZERO = -2
ONE = -1
_ITEMS_PER_STEP = 4  # looked at in the time of a step

Formula2 = Any  # int | tuple[bool, frozenset[int | tuple[bool, frozenset[int]]]]


def combine(disjunction: bool, items: Iterable[Formula2]) -> Formula2:
    """The con- or disjunction of items, simplified: constants, repetitions, nesting of one kind, x or (x and y)."""
    absorbing, neutral = (ONE, ZERO) if disjunction else (ZERO, ONE)
    kept: set[Formula2] = set()
    for item in items:
        if item == absorbing:
            return absorbing
        if item == neutral:
            continue
        if isinstance(item, tuple) and item[0] == disjunction:
            kept |= item[1]
        else:
            kept.add(item)
    if len(kept) < 2:
        return kept.pop() if kept else neutral
    signals = {i for i in kept if isinstance(i, int)}
    if signals and len(signals) < len(kept):
        kept = {i for i in kept if isinstance(i, int) or signals.isdisjoint(i[1])}
        if len(kept) == 1:
            return kept.pop()
    return disjunction, frozenset(kept)


def substitute(formula: Formula2, change: Mapping[int, int]) -> Formula2:
    """The formula with signals changed into constants or other signals."""
    if isinstance(formula, int):
        return change.get(formula, formula)
    items = [
        change.get(i, i)
        if isinstance(i, int)
        else (i if change.keys().isdisjoint(i[1]) else combine(i[0], [change.get(j, j) for j in i[1]]))
        for i in formula[1]
    ]
    return combine(formula[0], items)


def signals_of(formula: Formula2) -> set[int]:
    """The signals that a formula reads."""
    if isinstance(formula, int):
        return {formula} if formula >= 0 else set()
    found: set[int] = set()
    for item in formula[1]:
        if isinstance(item, int):
            found.add(item)
        else:
            found |= item[1]
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of a shape: for each formula ``ZERO``, ``ONE``, a signal, or (i,) for formula i of ``shape``.

    ``alive`` are the signals that the new shape reads, ``size`` is how many items had to be looked at.
    """

    formulas: tuple[int | tuple[int], ...]
    shape: int
    alive: frozenset[int]
    size: int


class Shapes:
    """Tuples of formulas by number, and what becomes of them: parts that look alike share what was worked out once."""

    def __init__(self) -> None:
        self.formulas: list[tuple[Formula2, ...]] = []
        self._numbers: dict[tuple[Formula2, ...], int] = {}
        self._outcomes: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Outcome] = {}

    def number(self, formulas: tuple[Formula2, ...]) -> int:
        """The number of a tuple of formulas, the same for equal ones."""
        number = self._numbers.get(formulas)
        if number is None:
            number = self._numbers[formulas] = len(self.formulas)
            self.formulas.append(formulas)
        return number

    def outcome(self, shape: int, signals: tuple[int, ...], pattern: tuple[int, ...], meter: Meter) -> Outcome:
        """What becomes of a shape when ``signals`` become what ``pattern`` says: 0, 1, or equal with equal codes."""
        key = (shape, signals, pattern)
        outcome = self._outcomes.get(key)
        if outcome is None:
            outcome = self._outcomes[key] = self._work_out(self.formulas[shape], signals, pattern)
            meter.spend(1 + outcome.size // _ITEMS_PER_STEP, 0)
        return outcome

    def _work_out(self, formulas: Sequence[Formula2], signals: tuple[int, ...], pattern: tuple[int, ...]) -> Outcome:
        change: dict[int, int] = {}
        first: dict[int, int] = {}
        for signal, code in zip(signals, pattern, strict=True):
            if code < 2:
                change[signal] = ONE if code else ZERO
            elif first.setdefault(code, signal) != signal:
                change[signal] = first[code]
        remaining: dict[Formula2, int] = {}
        found: list[int | tuple[int]] = []
        for formula in formulas:
            simpler = substitute(formula, change)
            found.append(simpler if isinstance(simpler, int) else (remaining.setdefault(simpler, len(remaining)),))
        alive = frozenset().union(*map(signals_of, remaining))
        size = sum(1 if isinstance(f, int) else len(f[1]) for f in formulas)
        return Outcome(tuple(found), self.number(tuple(remaining)) if remaining else -1, alive, size)
