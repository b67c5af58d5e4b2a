"""Formulas two levels deep over numbered signals, and what remains of them as signals become known.

A formula is ``ZERO``, ``ONE``, a signal (an int from 0), or a pair (is it a disjunction?, its items); an item is a
signal or a pair of the other kind that holds signals alone. A *residual* is a tuple of such formulas. It has a number,
and what becomes of it as signals become known is worked out once: some of its formulas become constants or single
signals, and the others are the next residual.

For example, let choice a be a coin, b a coin and d a die, and let the signals be

    0: "a is heads"      1: "d is 1"      2: "b is heads"      3: "d is not 1"

The formula (0 and 1) or (2 and 3) is written (True, {(False, {0, 1}), (False, {2, 3})}). As a, b and d are decided,

    a is heads: signal 0 becomes ONE; what remains is 1 or (2 and 3), written (True, {1, (False, {2, 3})})
    a is tails: signal 0 becomes ZERO; what remains is 2 and 3, written (False, {2, 3})
    then b is heads: signal 2 becomes ONE; what remains is 1 or 3, written (True, {1, 3}), or signal 3
    then b is tails: signal 2 becomes ZERO; what remains is signal 1, or ZERO

Another part of the program that says the same of other choices meets the same residuals, and finds them worked out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from deepplp.compilation.compile_budget import Meter

__all__ = ["ONE", "ZERO", "Flat", "Outcome", "Residuals", "TwoLevel", "combine", "signals_of", "substitute"]

ZERO = -2
ONE = -1
_ITEMS_PER_STEP = 4  # looked at in the time of a step

Flat: TypeAlias = tuple[bool, frozenset[int]]
TwoLevel: TypeAlias = int | tuple[bool, frozenset[int | Flat]]


def combine(disjunction: bool, items: Iterable[TwoLevel]) -> TwoLevel:
    """The con- or disjunction of items, simplified: constants, repetitions, nesting of one kind, x or (x and y).

    Items of the other kind must hold signals alone.
    """
    absorbing, neutral = (ONE, ZERO) if disjunction else (ZERO, ONE)
    kept: set[int | Flat] = set()
    for item in items:
        if item == absorbing:
            return absorbing
        if item == neutral:
            continue
        if isinstance(item, tuple) and item[0] == disjunction:
            kept |= item[1]
        else:
            kept.add(item)  # type: ignore[arg-type]  # of the other kind: it holds signals alone
    if len(kept) < 2:
        return kept.pop() if kept else neutral
    signals = {i for i in kept if isinstance(i, int)}
    if signals and len(signals) < len(kept):
        kept = {i for i in kept if isinstance(i, int) or signals.isdisjoint(i[1])}
        if len(kept) == 1:
            return kept.pop()
    return disjunction, frozenset(kept)


def substitute(formula: TwoLevel, change: Mapping[int, int]) -> TwoLevel:
    """The formula with signals changed into constants or other signals."""
    if isinstance(formula, int):
        return change.get(formula, formula)
    items: list[TwoLevel] = [
        change.get(i, i)
        if isinstance(i, int)
        else (i if change.keys().isdisjoint(i[1]) else combine(i[0], [change.get(j, j) for j in i[1]]))
        for i in formula[1]
    ]
    return combine(formula[0], items)


def signals_of(formula: TwoLevel) -> set[int]:
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
    """What has become of a residual.

    For each of its formulas this is ``ZERO``, ``ONE``, a signal, or (i,) for formula i of the next residual, whose
    number is ``residual``, -1 if nothing remains. ``alive`` are the signals that the next one reads, ``size`` is how
    many items had to be looked at.
    """

    formulas: tuple[int | tuple[int], ...]
    residual: int
    alive: frozenset[int]
    size: int


class Residuals:
    """Residuals by number, and what becomes of them: parts that look alike share what was worked out once."""

    def __init__(self) -> None:
        self.formulas: list[tuple[TwoLevel, ...]] = []
        self._numbers: dict[tuple[TwoLevel, ...], int] = {}
        self._outcomes: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Outcome] = {}

    def number(self, formulas: tuple[TwoLevel, ...]) -> int:
        """The number of the residual that these formulas are, the same for equal ones."""
        number = self._numbers.get(formulas)
        if number is None:
            number = self._numbers[formulas] = len(self.formulas)
            self.formulas.append(formulas)
        return number

    def outcome(self, residual: int, signals: tuple[int, ...], pattern: tuple[int, ...], meter: Meter) -> Outcome:
        """What becomes of a residual when ``signals`` become what ``pattern`` says: 0, 1, or equal with equal codes."""
        key = (residual, signals, pattern)
        outcome = self._outcomes.get(key)
        if outcome is None:
            outcome = self._outcomes[key] = self._work_out(self.formulas[residual], signals, pattern)
            meter.spend(1 + outcome.size // _ITEMS_PER_STEP, 0)
        return outcome

    def _work_out(self, formulas: Sequence[TwoLevel], signals: tuple[int, ...], pattern: tuple[int, ...]) -> Outcome:
        change: dict[int, int] = {}
        first: dict[int, int] = {}
        for signal, code in zip(signals, pattern, strict=True):
            if code < 2:
                change[signal] = ONE if code else ZERO
            elif first.setdefault(code, signal) != signal:
                change[signal] = first[code]
        remaining: dict[TwoLevel, int] = {}
        found: list[int | tuple[int]] = []
        for formula in formulas:
            simpler = substitute(formula, change)
            found.append(simpler if isinstance(simpler, int) else (remaining.setdefault(simpler, len(remaining)),))
        alive = frozenset().union(*map(signals_of, remaining))
        size = sum(1 if isinstance(f, int) else len(f[1]) for f in formulas)
        return Outcome(tuple(found), self.number(tuple(remaining)) if remaining else -1, alive, size)
