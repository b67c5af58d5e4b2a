"""Functions of choices as decision diagrams: the engine behind the compiler.

A sentential decision diagram on a right-linear vtree whose left subtrees are single choices is a reduced, ordered
decision diagram with one edge for each class of a choice's values, equal edges drawn as one. This is that diagram with
the choices whole, so that no operation ever looks at a code's bits. Every operation is a loop that may stop between
any two steps: it counts what it spends, and an interrupt leaves nothing behind.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deepplp.compilation.compile_budget import Meter
from deepplp.compilation.encoding import EncodedChoice
from deepplp.compilation.residual import ONE, Formula2, Shapes

__all__ = ["Diagram"]

FALSE = 0
TRUE = 1
_BOTTOM = 1 << 60  # the level of the constants
_COLLECT_FROM = 200_000  # nodes made since the last collection, below which none is worth its time

Ids = tuple[int, ...]
State = tuple[int, Ids]  # a residual's number, and what its moved signals have become


@dataclass(eq=False, slots=True)
class _Step:
    """Where one value of a choice leads: an entry per formula, and the next residual with the positions it keeps.

    An entry is (0, node), (1, position in the row) or (2, position among the next residual's formulas).
    """

    entries: tuple[tuple[int, int], ...]
    number: int
    kept: tuple[int, ...]


@dataclass(eq=False, slots=True)
class _Opening:
    """A residual at one level: the signals that take part, and the steps known so far by what the signals become."""

    signals: tuple[int, ...]
    steps: dict[Ids, _Step] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class _Residual:
    """What remains of so many formulas; ``moved`` are those of its signals whose choices have partly been made."""

    shape: int
    formulas: int
    moved: tuple[int, ...]
    fresh: dict[int, tuple[int, ...]]  # level -> the other signals, which begin there
    top: int
    openings: dict[int, _Opening] = field(default_factory=dict)


class Diagram:
    """Reduced ordered decision diagrams over encoded choices; equal functions are equal numbers.

    Node 0 is false, node 1 is true; node n decides the choice ``encoded[level[n]]``, and ``kids[n]`` holds a node for
    every class of its values. Below the choices there may be levels for so many ``unknowns``, which are true or false.
    ``meter`` counts what operations cost.
    """

    def __init__(self, encoded: Sequence[EncodedChoice], unknowns: int = 0) -> None:
        self.meter = Meter()
        self.level = [_BOTTOM, _BOTTOM]
        self.kids: list[Ids] = [(), ()]
        self._widths = [len(e.classes) for e in encoded] + [2] * unknowns
        self._encoded = encoded
        self._unique: list[dict[Ids, int]] = [{} for _ in self._widths]
        self._free: list[int] = []
        self._negated: dict[int, int] = {}
        self._shapes = Shapes()
        self._collect_at = _COLLECT_FROM

    @property
    def nodes(self) -> int:
        """The number of nodes, those that nothing uses any more included until they are collected."""
        return len(self.level) - len(self._free)

    def value(self, index: int, value: int) -> int:
        """The function "choice ``encoded[index]`` takes this value"."""
        chosen = self._encoded[index].class_of(value)
        if chosen is None:
            return FALSE
        return self._node(index, tuple([TRUE if j == chosen else FALSE for j in range(self._widths[index])]))

    def unknown(self, number: int) -> int:
        """The function "unknown ``number`` is true"."""
        return self._node(len(self._encoded) + number, (FALSE, TRUE))

    def deepest(self, function: int) -> int:
        """The lowest level of a choice that a function depends on, -1 for none."""
        seen = {function}
        stack = [function]
        found = -1
        while stack:
            node = stack.pop()
            if found < self.level[node] < len(self._encoded):
                found = self.level[node]
            for kid in self.kids[node]:
                if kid not in seen:
                    seen.add(kid)
                    stack.append(kid)
        return found

    def without(self, function: int, number: int) -> tuple[int, int]:
        """What a function becomes where unknown ``number`` is false, and where it is true."""
        target = len(self._encoded) + number
        found: dict[int, tuple[int, int]] = {}
        stack = [function]
        while stack:
            node = stack[-1]
            level, kids = self.level[node], self.kids[node]
            if node in found:
                stack.pop()
            elif level >= target:
                found[node] = (kids[0], kids[1]) if level == target else (node, node)
                stack.pop()
            elif missing := [k for k in kids if k not in found]:
                stack.extend(missing)
            else:
                self.meter.spend(len(kids), self.nodes)
                low, high = ([found[k][value] for k in kids] for value in (0, 1))
                found[node] = (self._node(level, tuple(low)), self._node(level, tuple(high)))
                stack.pop()
        return found[function]

    def _node(self, level: int, kids: Ids) -> int:
        first = kids[0]
        if kids.count(first) == len(kids):
            return first
        unique = self._unique[level]
        node = unique.get(kids)
        if node is None:
            if self._free:
                node = self._free.pop()
                self.level[node] = level
                self.kids[node] = kids
            else:
                node = len(self.level)
                self.level.append(level)
                self.kids.append(kids)
            unique[kids] = node
        return node

    def negate(self, function: int) -> int:
        """The negation."""
        known = self._negated
        known.update({FALSE: TRUE, TRUE: FALSE})
        stack = [function]
        while stack:
            node = stack[-1]
            if node in known:
                stack.pop()
                continue
            kids = self.kids[node]
            missing = [k for k in kids if k not in known]
            if missing:
                stack.extend(missing)
                continue
            self.meter.spend(len(kids), self.nodes)
            opposite = self._node(self.level[node], tuple([known[k] for k in kids]))
            known[node] = opposite
            known[opposite] = node
            stack.pop()
        return known[function]

    def apply(self, signals: Sequence[int], formulas: Sequence[Formula2]) -> list[int]:
        """The functions that formulas over signals stand for, ``signals[i]`` being the function of signal i.

        All formulas are worked out in one pass from the top of the order down, breadth first, which looks at every
        combination of what the signals become once, and one pass back up, which makes the nodes.
        """
        return _Sweep(self, signals).run(formulas)

    def conjoin(self, functions: Iterable[int]) -> int:
        """The conjunction."""
        signals = list(dict.fromkeys(functions))
        return self.apply(signals, [(False, frozenset(range(len(signals))))])[0] if signals else TRUE

    def collect(self, live: Iterable[int]) -> None:
        """Take back the nodes that the ``live`` functions do not use, if there may be many."""
        if self.nodes < self._collect_at:
            return
        self._negated.clear()
        marked = bytearray(len(self.level))
        marked[FALSE] = marked[TRUE] = 1
        stack = list(live)
        while stack:
            node = stack.pop()
            if not marked[node]:
                marked[node] = 1
                stack.extend(self.kids[node])
        free = set(self._free)
        for node in range(2, len(self.level)):
            if not marked[node] and node not in free:
                del self._unique[self.level[node]][self.kids[node]]
                self.kids[node] = ()
                self._free.append(node)
        self._collect_at = max(_COLLECT_FROM, 2 * self.nodes)


class _Sweep:
    """One pass down and up: see `Diagram.apply`."""

    def __init__(self, diagram: Diagram, signals: Sequence[int]) -> None:
        self._diagram = diagram
        self._inputs = signals
        self._residuals: list[_Residual] = []
        self._numbers: dict[tuple[int, tuple[int, ...]], int] = {}
        self._pending: dict[int, dict[State, None]] = {}
        self._heap: list[int] = []
        self._states = 0

    def run(self, formulas: Sequence[Formula2]) -> list[int]:
        """The functions of the formulas."""
        shape = self._diagram._shapes.number(tuple(formulas))
        step = self._step(shape, tuple(range(len(self._inputs))), _pattern(tuple(self._inputs)), moves=False)
        start: State = (step.number, ())
        if step.number >= 0:
            self._wait(start)
        found: dict[State, list[int]] = {}
        done: list[tuple[int, list[tuple[State, list[list[object]]]]]] = []
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
        level = min(map(self._diagram.level.__getitem__, state[1]), default=_BOTTOM)
        level = min(level, self._residuals[state[0]].top)
        waiting = self._pending.get(level)
        if waiting is None:
            waiting = self._pending[level] = {}
            heapq.heappush(self._heap, level)
        waiting[state] = None

    def _expand(self, state: State, level: int) -> list[list[object]]:
        """For each formula and class of values: a node, or (state, position) of what is still to be found."""
        diagram = self._diagram
        kids, levels, width = diagram.kids, diagram.level, diagram._widths[level]
        self._states += 1
        diagram.meter.spend(width, diagram.nodes + self._states)
        residual = self._residuals[state[0]]
        opening = residual.openings.get(level)
        if opening is None:
            signals = residual.moved + residual.fresh.get(level, ())
            opening = residual.openings[level] = _Opening(signals)
        columns = [kids[o] if levels[o] == level else (o,) * width for o in state[1]]
        columns += [kids[self._inputs[i]] for i in residual.fresh.get(level, ())]
        rows: dict[Ids, list[object]] = {}
        outcomes: list[list[object]] = []
        for row in zip(*columns, strict=True):
            outcome = rows.get(row)
            if outcome is None:
                outcome = rows[row] = self._outcome(residual, opening, row)
            outcomes.append(outcome)
        return outcomes

    def _outcome(self, residual: _Residual, opening: _Opening, row: Ids) -> list[object]:
        pattern = _pattern(row)
        step = opening.steps.get(pattern)
        if step is None:
            step = opening.steps[pattern] = self._step(residual.shape, opening.signals, pattern, moves=True)
        following: State = (-1, ())
        if step.number >= 0:
            following = (step.number, tuple([row[p] for p in step.kept]))
            self._wait(following)
        return [value if kind == 0 else row[value] if kind == 1 else (following, value) for kind, value in step.entries]

    def _step(self, shape: int, signals: tuple[int, ...], pattern: Ids, *, moves: bool) -> _Step:
        """What becomes of a shape when its signals become constants or equal to each other, by the pattern."""
        outcome = self._diagram._shapes.outcome(shape, signals, pattern, self._diagram.meter)
        position = {s: p for p, s in enumerate(signals)}
        entries: list[tuple[int, int]] = []
        for found in outcome.formulas:
            if isinstance(found, tuple):
                entries.append((2, found[0]))
            elif found < 0:
                entries.append((0, TRUE if found == ONE else FALSE))
            else:
                entries.append((1, position[found]) if found in position else (0, self._inputs[found]))
        if outcome.shape < 0:
            return _Step(tuple(entries), -1, ())
        moved = tuple([s for s in signals if s in outcome.alive]) if moves else ()
        number = self._number(outcome.shape, moved, sorted(outcome.alive.difference(moved)))
        return _Step(tuple(entries), number, tuple([position[s] for s in moved]))

    def _number(self, shape: int, moved: tuple[int, ...], fresh: Sequence[int]) -> int:
        key = (shape, moved)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._residuals)
            by_level: dict[int, tuple[int, ...]] = {}
            for signal in fresh:
                level = self._diagram.level[self._inputs[signal]]
                by_level[level] = (*by_level.get(level, ()), signal)
            count = len(self._diagram._shapes.formulas[shape])
            self._residuals.append(_Residual(shape, count, moved, by_level, min(by_level, default=_BOTTOM)))
        return number

    def _reduce(self, level: int, batch: list[tuple[State, list[list[object]]]], found: dict[State, list[int]]) -> None:
        node, meter = self._diagram._node, self._diagram.meter
        for state, outcomes in batch:
            meter.spend(0, self._diagram.nodes + self._states)
            nodes = []
            for position in range(self._residuals[state[0]].formulas):
                entries = [outcome[position] for outcome in outcomes]
                nodes.append(
                    node(level, tuple([e if type(e) is int else found[e[0]][e[1]] for e in entries]))  # type: ignore
                )
            found[state] = nodes


def _pattern(row: Ids) -> Ids:
    """A row with its constants as they are and other nodes numbered from 2 in the order of their first use."""
    seen: dict[int, int] = {}
    return tuple([o if o < 2 else seen.setdefault(o, len(seen) + 2) for o in row])
