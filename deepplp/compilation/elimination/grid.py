"""What becomes of a group for every combination of values of what it reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepplp.circuit import TRUE_NODE, IntArray, starts_of
from deepplp.compilation.elimination.groups import Group, Row
from deepplp.compilation.elimination.products import Products
from deepplp.compilation.elimination.propagation import Literal, Open
from deepplp.formula import Atom

__all__ = ["Decision", "Grid", "Leaves", "Rows", "Truth", "kinds_of"]

Truth = NDArray[np.bool_]
Decision = tuple[int, Truth]
"""By which variable a gate is decided, and for which of its values [values] it holds."""
Outcomes = list[tuple[int, int]]
"""Which heads hold, as bits, and the node that weighs it."""


class Rows(NamedTuple):
    """Points of a grid, which heads hold there, as bits, and nodes that weigh it: a row each."""

    points: IntArray
    states: IntArray
    nodes: IntArray


def kinds_of(states: IntArray, heads: Sequence[int], read: set[int]) -> int:
    """How many states there are of the heads that are read."""
    return len(np.unique(states & sum(1 << place for place, head in enumerate(heads) if head in read)))


class Leaves:
    """The leaves of choices. ``offsets`` say where each one's columns start, ``domains`` which values are left."""

    def __init__(self, products: Products, offsets: IntArray, domains: Mapping[int, frozenset[int]]) -> None:
        self.products = products
        self._offsets = offsets
        self._domains = domains

    def domain(self, choice: int) -> Sequence[int]:
        """The values that are left to a choice."""
        return sorted(self._domains[choice])

    def leaf(self, choice: int, values: Iterable[int]) -> int:
        """The leaf of some values of a choice."""
        start = int(self._offsets[choice])
        return self.products.leaf([start + value for value in values])

    def of_row(self, group: Group, row: Row) -> Outcomes:
        """What a row's choice makes of the heads where its body holds."""
        bits: dict[int, int] = {}
        for value, head in row.heads:
            bits[value] = bits.get(value, 0) | 1 << group.heads.index(head)
        by_bits: dict[int, list[int]] = {}
        for value in self.domain(row.choice):
            by_bits.setdefault(bits.get(value, 0), []).append(value)
        return [(state, self.leaf(row.choice, values)) for state, values in by_bits.items()]


class Grid:
    """All combinations of what some groups read; ``decide`` says by which variable a gate is decided.

    ``variables`` are its axes and ``shape`` their numbers of values; ``rows`` are the choices of the groups' rows.
    """

    def __init__(
        self,
        gates: Sequence[Open],
        groups: Sequence[Group],
        decide: Callable[[int], Decision],
        sizes: Mapping[int, int],
    ) -> None:
        self._gates = gates
        reads = [group.reads(gates) for group in groups]
        decided = {number: decide(number) for leaves, _ in reads for number in leaves}
        self.variables: tuple[int, ...] = tuple(dict.fromkeys(variable for variable, _ in decided.values()))
        self.shape = tuple(sizes[v] for v in self.variables)
        self.rows = tuple(row.choice for group in groups for row in group.rows)
        axes = len(self.shape)
        self._truths: dict[int, Truth] = {}
        for number, (variable, truth) in decided.items():
            axis = self.variables.index(variable)
            self._truths[number] = truth.reshape([-1 if i == axis else 1 for i in range(axes)])
        for number in sorted({number for _, taken in reads for number in taken}):
            gate = gates[number]
            if number not in self._truths and not isinstance(gate, Atom):
                self._truths[number] = self._joined(gate.is_or, gate.children)

    def _truth(self, literal: Literal) -> Truth:
        """Where a literal holds, of a shape that broadcasts to the grid's."""
        found = self._truths[abs(literal) - 1]
        return found if literal > 0 else ~found

    def _joined(self, is_or: bool, literals: Iterable[Literal]) -> Truth:
        found: Truth = np.full([1] * len(self.shape), not is_or)
        for literal in literals:
            found = found | self._truth(literal) if is_or else found & self._truth(literal)
        return found

    def _everywhere(self, is_or: bool, literals: Iterable[Literal]) -> Truth:
        """Where a disjunction or a conjunction holds: [points]."""
        return np.broadcast_to(self._joined(is_or, literals), self.shape).reshape(-1)

    def certain(self, group: Group) -> IntArray:
        """Which of a group's heads hold whatever its rows say, as bits, for each point of the grid."""
        found = np.zeros(math.prod(self.shape), dtype=np.int64)
        for bit, head in enumerate(group.heads):
            gate, children = self._gates[head], group.children[head]
            if children and not isinstance(gate, Atom):
                found |= self._everywhere(gate.is_or, children).astype(np.int64) << bit
        return found

    def outcomes(self, group: Group, leaves: Leaves) -> Rows:
        """What may become of a group's heads."""
        certain = self.certain(group)
        count = len(certain)
        if not group.rows:
            return Rows(np.arange(count), certain, np.full(count, TRUE_NODE, dtype=np.int64))
        places = [np.flatnonzero(self._everywhere(False, row.body)) for row in group.rows]
        which = np.repeat(np.arange(len(places)), [len(p) for p in places])
        point = np.concatenate(places)
        order = np.argsort(point, kind="stable")
        active, ends = which[order].tolist(), starts_of(np.bincount(point, minlength=count)).tolist()
        of_rows = [leaves.of_row(group, row) for row in group.rows]
        known: dict[tuple[int, ...], Outcomes] = {(): [(0, TRUE_NODE)]}
        found = [_together(of_rows, tuple(active[ends[i] : ends[i + 1]]), known, leaves.products) for i in range(count)]
        points = np.repeat(np.arange(count), [len(f) for f in found])
        states = np.array([state for outcomes in found for state, _ in outcomes], dtype=np.int64)
        nodes = np.array([node for outcomes in found for _, node in outcomes], dtype=np.int64)
        return Rows(points, states | certain[points], nodes)


def _together(
    of_rows: Sequence[Outcomes], rows: tuple[int, ...], known: dict[tuple[int, ...], Outcomes], products: Products
) -> Outcomes:
    """What rows whose bodies all hold make of the heads, from what is known of the first ones of them."""
    start = next(count for count in range(len(rows), -1, -1) if rows[:count] in known)
    for count in range(start, len(rows)):
        before, last = known[rows[:count]], of_rows[rows[count]]
        known[rows[: count + 1]] = _crossed(before, last, products) if count else last
    return known[rows]


def _crossed(before: Outcomes, last: Outcomes, products: Products) -> Outcomes:
    ways: dict[int, list[tuple[int, int]]] = {}
    for state, node in before:
        for more, leaf in last:
            ways.setdefault(state | more, []).append((node, leaf))
    pairs = np.array([pair for several in ways.values() for pair in several], dtype=np.int64)
    of_way = np.repeat(np.arange(len(ways)), [len(several) for several in ways.values()])
    nodes = products.sums(of_way, len(ways), pairs[:, 0], pairs[:, 1]).tolist()
    return list(zip(ways, nodes, strict=True))
