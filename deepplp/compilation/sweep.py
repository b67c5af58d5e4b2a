"""One pass down a diagram and one back up: how formulas over functions become nodes. `diagram` has an example."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from deepplp.compilation.node_store import CONSTANT_LEVEL, FALSE, TRUE, Ids, NodeStore
from deepplp.compilation.residual import ONE, Residuals, TwoLevel

__all__ = ["Sweep"]

State = tuple[int, Ids]  # a stage's number, and what its moved signals have become
Entry = int | tuple[State, int]  # a node, or a state and the position of the formula that is still to be found there
Row = list[Entry]  # an entry for each formula of a stage


@dataclass(eq=False, slots=True)
class _Step:
    """Where one value of a choice leads: an entry per formula, and the next stage with the positions it keeps.

    An entry is (0, node), (1, position in the row) or (2, position among the next stage's formulas). ``number`` is that
    of the next stage, -1 if nothing remains.
    """

    entries: tuple[tuple[int, int], ...]
    number: int
    kept: tuple[int, ...]


@dataclass(eq=False, slots=True)
class _Opening:
    """A stage at one level: the signals that take part, and the steps known so far by what the signals become."""

    signals: tuple[int, ...]
    steps: dict[Ids, _Step] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class _Stage:
    """A residual of so many formulas on the way down.

    ``moved`` are those of its signals whose choices have partly been made. ``fresh`` maps levels to the other signals,
    which begin there; ``top`` is the first of these levels.
    """

    residual: int
    formulas: int
    moved: tuple[int, ...]
    fresh: dict[int, tuple[int, ...]]
    top: int
    openings: dict[int, _Opening] = field(default_factory=dict)


class Sweep:
    """One pass down and up over the functions ``signals``: see `Diagram.apply`."""

    def __init__(self, store: NodeStore, residuals: Residuals, signals: Sequence[int]) -> None:
        self._store = store
        self._residuals = residuals
        self._inputs = signals
        self._stages: list[_Stage] = []
        self._numbers: dict[tuple[int, tuple[int, ...]], int] = {}
        self._pending: dict[int, dict[State, None]] = {}
        self._heap: list[int] = []
        self._states = 0

    def run(self, formulas: Sequence[TwoLevel]) -> list[int]:
        """The functions of the formulas."""
        residual = self._residuals.number(tuple(formulas))
        step = self._step(residual, tuple(range(len(self._inputs))), _pattern(tuple(self._inputs)), moves=False)
        start: State = (step.number, ())
        if step.number >= 0:
            self._wait(start)
        found: dict[State, list[int]] = {}
        done: list[tuple[int, list[tuple[State, list[Row]]]]] = []
        while self._heap:
            level = heapq.heappop(self._heap)
            batch = [(state, self._expand(state, level)) for state in self._pending.pop(level)]
            done.append((level, batch))
        while done:
            level, batch = done.pop()
            self._reduce(level, batch, found)
        return [node if kind == 0 else self._inputs[node] if kind == 1 else found[start][node]
                for kind, node in step.entries]  # fmt: skip

    def _wait(self, state: State) -> None:
        level = min(map(self._store.level.__getitem__, state[1]), default=CONSTANT_LEVEL)
        level = min(level, self._stages[state[0]].top)
        waiting = self._pending.get(level)
        if waiting is None:
            waiting = self._pending[level] = {}
            heapq.heappush(self._heap, level)
        waiting[state] = None

    def _expand(self, state: State, level: int) -> list[Row]:
        """For each class of values, what the formulas become."""
        store = self._store
        kids, levels, width = store.kids, store.level, store.widths[level]
        self._states += 1
        store.meter.spend(width, store.count + self._states)
        stage = self._stages[state[0]]
        opening = stage.openings.get(level)
        if opening is None:
            opening = stage.openings[level] = _Opening(stage.moved + stage.fresh.get(level, ()))
        columns = [kids[o] if levels[o] == level else (o,) * width for o in state[1]]
        columns += [kids[self._inputs[i]] for i in stage.fresh.get(level, ())]
        known: dict[Ids, Row] = {}
        rows: list[Row] = []
        for signals in zip(*columns, strict=True):
            row = known.get(signals)
            if row is None:
                row = known[signals] = self._row(stage, opening, signals)
            rows.append(row)
        return rows

    def _row(self, stage: _Stage, opening: _Opening, signals: Ids) -> Row:
        pattern = _pattern(signals)
        step = opening.steps.get(pattern)
        if step is None:
            step = opening.steps[pattern] = self._step(stage.residual, opening.signals, pattern, moves=True)
        following: State = (-1, ())
        if step.number >= 0:
            following = (step.number, tuple([signals[p] for p in step.kept]))
            self._wait(following)
        return [
            value if kind == 0 else signals[value] if kind == 1 else (following, value) for kind, value in step.entries
        ]

    def _step(self, residual: int, signals: tuple[int, ...], pattern: Ids, *, moves: bool) -> _Step:
        """What remains of a residual when its signals become constants or equal to each other, by the pattern."""
        outcome = self._residuals.outcome(residual, signals, pattern, self._store.meter)
        position = {s: p for p, s in enumerate(signals)}
        entries: list[tuple[int, int]] = []
        for found in outcome.formulas:
            if isinstance(found, tuple):
                entries.append((2, found[0]))
            elif found < 0:
                entries.append((0, TRUE if found == ONE else FALSE))
            else:
                entries.append((1, position[found]) if found in position else (0, self._inputs[found]))
        if outcome.residual < 0:
            return _Step(tuple(entries), -1, ())
        moved = tuple([s for s in signals if s in outcome.alive]) if moves else ()
        number = self._stage(outcome.residual, moved, sorted(outcome.alive.difference(moved)))
        return _Step(tuple(entries), number, tuple([position[s] for s in moved]))

    def _stage(self, residual: int, moved: tuple[int, ...], fresh: Sequence[int]) -> int:
        """The number of a stage."""
        key = (residual, moved)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._stages)
            by_level: dict[int, tuple[int, ...]] = {}
            for signal in fresh:
                level = self._store.level[self._inputs[signal]]
                by_level[level] = (*by_level.get(level, ()), signal)
            formulas = len(self._residuals.formulas[residual])
            self._stages.append(_Stage(residual, formulas, moved, by_level, min(by_level, default=CONSTANT_LEVEL)))
        return number

    def _reduce(self, level: int, batch: Sequence[tuple[State, list[Row]]], found: dict[State, list[int]]) -> None:
        """Make the nodes of a level, whose states have rows of nodes that are all known."""
        store, node = self._store, self._store.node
        for state, rows in batch:
            store.meter.spend(0, store.count + self._states)
            nodes: list[int] = []
            for position in range(self._stages[state[0]].formulas):
                entries = [row[position] for row in rows]
                kids = [e if isinstance(e, int) else found[e[0]][e[1]] for e in entries]
                nodes.append(node(level, tuple(kids)))
            found[state] = nodes


def _pattern(row: Ids) -> Ids:
    """A row with its constants as they are and other nodes numbered from 2 in the order of their first use."""
    seen: dict[int, int] = {}
    return tuple([o if o < 2 else seen.setdefault(o, len(seen) + 2) for o in row])
