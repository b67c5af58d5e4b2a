"""From groups of gates to a network of relations: the weights of every combination of a group and what it reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepplp.circuit import TRUE_NODE, IntArray, starts_of
from deepplp.compilation.elimination.groups import MOST_HEADS, Group, Row, groups_of
from deepplp.compilation.elimination.products import Products
from deepplp.compilation.elimination.propagation import ContradictionError, Literal, Simplified
from deepplp.compilation.elimination.relations import Relation, Values, merged
from deepplp.formula import Atom, Formula

__all__ = ["Network", "network_of"]

Truth = NDArray[np.bool_]
Outcomes = list[tuple[int, int]]
"""Which heads hold, as bits, and the node that weighs it."""


@dataclass(slots=True)
class Network:
    """Relations over variables, whose product weighs every combination of values.

    ``sizes`` are the variables' numbers of values. ``queries`` says of each query by which variable it is decided and
    for which of its values it holds: (variable, [values]); or True or False, where it is settled. ``conditioned`` are
    the relations of which the evidence has taken something away. ``choices`` are those that a variable stands for, for
    messages.
    """

    relations: list[Relation] = field(default_factory=list)
    conditioned: list[bool] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    queries: list[tuple[int, Truth] | bool] = field(default_factory=list)
    choices: dict[int, tuple[int, ...]] = field(default_factory=dict)


def network_of(formula: Formula, simple: Simplified, products: Products) -> Network:
    """The relations of what the evidence has left open of a formula.

    Raises:
        ContradictionError: the evidence holds in no world.
        TooWideError: a gate reads too much to be a relation.
    """
    return _Builder(formula, simple, products).build(groups_of(simple))


class _Builder:
    def __init__(self, formula: Formula, simple: Simplified, products: Products) -> None:
        self._formula = formula
        self._simple = simple
        self._products = products
        self._offsets = starts_of([len(c.values) for c in formula.choices])
        self._network = Network()
        self._decided: dict[int, tuple[int, Truth]] = {}  # of gates: the variable, and for which values they hold
        self._variable_of: dict[int, int] = {}  # of choices
        self._clauses = {abs(c) - 1: c > 0 for c in simple.clauses}
        self._allowed: dict[tuple[int, ...], Truth] = {}  # by variables: what clauses over just these leave
        self._atoms: dict[int, dict[int, int]] = {}  # of choices: the gate of each value
        for number, gate in enumerate(simple.gates):
            if isinstance(gate, Atom):
                self._atoms.setdefault(gate.choice, {})[gate.value] = number

    def build(self, groups: Sequence[Group]) -> Network:
        """All relations."""
        network, simple = self._network, self._simple
        read = self._read(groups)
        for group in groups:
            self._add(group, read)
        for scope, allowed in self._allowed.items():
            combinations = np.argwhere(allowed).astype(np.int32)
            self._relation(scope, combinations, np.full(len(combinations), TRUE_NODE), conditioned=True)
        for query in simple.queries:
            if isinstance(query, bool):
                network.queries.append(query)
            else:
                variable, truth = self.decided(query)
                network.queries.append((variable, truth))
        for clause in simple.clauses:
            gate = simple.gates[abs(clause) - 1]
            if isinstance(gate, Atom):
                variable, truth = self.decided(clause)
                values = np.flatnonzero(truth).astype(np.int32)
                self._relation((variable,), values[:, None], np.full(len(values), TRUE_NODE), conditioned=True)
        for choice in sorted(simple.restricted - self._variable_of.keys()):
            leaf = self._leaf(choice, sorted(simple.domains[choice]))
            self._relation((), np.empty((1, 0), dtype=np.int32), np.array([leaf]), conditioned=True)
        return network

    def _read(self, groups: Sequence[Group]) -> set[int]:
        """The gates that are asked for or that some group reads."""
        found = {abs(q) - 1 for q in self._simple.queries if not isinstance(q, bool)}
        for group in groups:
            for member in (group, *group.guests):
                for literal in member.literals:
                    found.update(self.leaves_of(literal, member))
        return found

    def leaves_of(self, literal: Literal, group: Group) -> Iterable[int]:
        """The gates that are variables by themselves below a literal."""
        stack = [abs(literal) - 1]
        while stack:
            number = stack.pop()
            gate = self._simple.gates[number]
            if number in group.inlined and not isinstance(gate, Atom):
                stack.extend(abs(c) - 1 for c in gate.children)
            else:
                yield number

    def inlined_in(self, groups: Iterable[Group]) -> set[int]:
        """The gates that groups take in and read."""
        found: set[int] = set()
        for group in groups:
            stack = [abs(c) - 1 for c in group.literals]
            while stack:
                number = stack.pop()
                gate = self._simple.gates[number]
                if number in group.inlined and number not in found and not isinstance(gate, Atom):
                    found.add(number)
                    stack.extend(abs(c) - 1 for c in gate.children)
        return found

    def _relation(self, scope: tuple[int, ...], values: Values, nodes: IntArray, *, conditioned: bool) -> None:
        if not len(nodes):
            raise ContradictionError
        self._network.relations.append(Relation(scope, values, nodes.astype(np.int64)))
        self._network.conditioned.append(conditioned)

    def _variable(self, size: int, choices: tuple[int, ...]) -> int:
        number = len(self._network.sizes)
        self._network.sizes[number] = size
        self._network.choices[number] = choices
        return number

    def _leaf(self, choice: int, values: Iterable[int]) -> int:
        start = int(self._offsets[choice])
        return self._products.leaf([start + v for v in values])

    def _domain(self, choice: int) -> Sequence[int]:
        return sorted(self._simple.domains[choice])

    def decided(self, literal: Literal) -> tuple[int, Truth]:
        """By which variable a literal is decided, and for which of its values it holds."""
        number = abs(literal) - 1
        gate = self._simple.gates[number]
        if number not in self._decided and isinstance(gate, Atom):
            self._add_choice(gate.choice)
        variable, truth = self._decided[number]
        return variable, truth if literal > 0 else ~truth

    def _add_choice(self, choice: int) -> None:
        """A choice as a variable: values that nothing mentions are one."""
        atoms, domain = self._atoms[choice], self._domain(choice)
        classes = [[v] for v in domain if v in atoms]
        rest = [v for v in domain if v not in atoms]
        if rest:
            classes.append(rest)
        variable = self._variable_of[choice] = self._variable(len(classes), (choice,))
        for number, members in enumerate(classes):
            if members[0] in atoms:
                self._decided[atoms[members[0]]] = variable, np.arange(len(classes)) == number
        nodes = np.array([self._leaf(choice, members) for members in classes])
        values = np.arange(len(classes), dtype=np.int32)[:, None]
        self._relation((variable,), values, nodes, conditioned=choice in self._simple.restricted)

    def _add(self, group: Group, read: set[int]) -> None:
        """The relation of a group and what it reads, and those of its guests."""
        grid = _Grid(self, [group, *group.guests])
        if not group.rows and not group.guests and not read.intersection(group.heads):
            self._restrict(grid, group)
            return
        rows = grid.outcomes(group)
        heads = list(group.heads)
        states = _kinds(rows.states, heads, read)
        for guest in group.guests:
            together = _Rows(rows.points, rows.states | grid.certain(guest)[rows.points] << len(heads), rows.nodes)
            both = [*heads, *guest.heads]
            found = _kinds(together.states, both, read)
            if len(both) <= MOST_HEADS and found <= max(states, sum(h in read for h in both) + 1):
                rows, heads, states = together, both, found
            else:
                self._relate(grid, grid.outcomes(guest), list(guest.heads), read)
        self._relate(grid, rows, heads, read)

    def _restrict(self, grid: _Grid, group: Group) -> None:
        """Gates that only a clause reads: they say which combinations there are, together with others like them."""
        states = grid.certain(group)
        holds = np.ones(len(states), dtype=np.bool_)
        for bit, head in enumerate(group.heads):
            if head in self._clauses:
                holds &= ((states >> bit) & 1 == 1) == self._clauses[head]
        axes = sorted(range(len(grid.variables)), key=lambda axis: grid.variables[axis])
        scope = tuple(grid.variables[axis] for axis in axes)
        allowed = holds.reshape(grid.shape).transpose(axes)
        self._allowed[scope] = self._allowed.get(scope, np.True_) & allowed

    def _relate(self, grid: _Grid, rows: _Rows, heads: list[int], read: set[int]) -> None:
        """Make heads one variable, and add the relation of that and the grid's variables."""
        kept = np.ones(len(rows.points), dtype=np.bool_)
        asserted = [h for h in heads if h in self._clauses]
        for head in asserted:
            kept &= ((rows.states >> heads.index(head)) & 1 == 1) == self._clauses[head]
        points, states, nodes = (column[kept] for column in rows)
        if not len(points):
            raise ContradictionError
        shown = [h for h in heads if h in read]
        found, which = np.unique(states & sum(1 << heads.index(h) for h in shown), return_inverse=True)
        values = np.stack([*np.unravel_index(points, grid.shape)], axis=1) if grid.shape else np.empty((len(points), 0))
        scope = grid.variables
        if shown:
            variable = self._variable(len(found), grid.choices)
            for head in shown:
                self._decided[head] = variable, (found >> heads.index(head)) & 1 == 1
            scope = (*scope, variable)
            values = np.concatenate([values, which.reshape(-1, 1)], axis=1)
        ones = np.full(len(nodes), TRUE_NODE, dtype=np.int64)
        made = merged(scope, values.astype(np.int32), (nodes, ones), self._network.sizes, self._products)
        self._relation(made.scope, made.values, made.nodes, conditioned=bool(asserted))

    def row_outcomes(self, group: Group, row: Row) -> Outcomes:
        """What a row's choice makes of the heads where its body holds."""
        bits: dict[int, int] = {}
        for value, head in row.heads:
            bits[value] = bits.get(value, 0) | 1 << group.heads.index(head)
        by_bits: dict[int, list[int]] = {}
        for value in self._domain(row.choice):
            by_bits.setdefault(bits.get(value, 0), []).append(value)
        return [(state, self._leaf(row.choice, values)) for state, values in by_bits.items()]

    def sums(self, group: IntArray, groups: int, left: IntArray, right: IntArray) -> IntArray:
        """Sums of products of nodes: see `Products.sums`."""
        return self._products.sums(group, groups, left, right)

    @property
    def simple(self) -> Simplified:
        """What is built from."""
        return self._simple

    @property
    def network(self) -> Network:
        """What is built."""
        return self._network


class _Rows(NamedTuple):
    """Points of a grid, which heads hold there, as bits, and nodes that weigh it: a row each."""

    points: IntArray
    states: IntArray
    nodes: IntArray


def _kinds(states: IntArray, heads: Sequence[int], read: set[int]) -> int:
    """How many states there are of the heads that are read."""
    return len(np.unique(states & sum(1 << place for place, head in enumerate(heads) if head in read)))


class _Grid:
    """All combinations of what some groups read."""

    def __init__(self, builder: _Builder, groups: Sequence[Group]) -> None:
        self._builder = builder
        leaves = dict.fromkeys(n for g in groups for literal in g.literals for n in builder.leaves_of(literal, g))
        decided = {number: builder.decided(number + 1) for number in leaves}
        self.variables: tuple[int, ...] = tuple(dict.fromkeys(variable for variable, _ in decided.values()))
        sizes: Mapping[int, int] = builder.network.sizes
        self.shape = tuple(sizes[v] for v in self.variables)
        below = [c for v in self.variables for c in builder.network.choices[v]]
        self.choices = tuple(dict.fromkeys([row.choice for group in groups for row in group.rows] or below))
        axes = len(self.shape)
        self._truths: dict[int, Truth] = {}
        for number, (variable, truth) in decided.items():
            axis = self.variables.index(variable)
            self._truths[number] = truth.reshape([-1 if i == axis else 1 for i in range(axes)])
        for number in sorted(builder.inlined_in(groups)):
            gate = builder.simple.gates[number]
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

    def certain(self, group: Group) -> IntArray:
        """Which of a group's heads hold whatever its rows say, as bits, for each point of the grid."""
        found = np.zeros(math.prod(self.shape), dtype=np.int64)
        for bit, head in enumerate(group.heads):
            gate = self._builder.simple.gates[head]
            children = group.children[head]
            if children and not isinstance(gate, Atom):
                holds = np.broadcast_to(self._joined(gate.is_or, children), self.shape).reshape(-1)
                found |= holds.astype(np.int64) << bit
        return found

    def outcomes(self, group: Group) -> _Rows:
        """What may become of a group's heads."""
        certain = self.certain(group)
        count = len(certain)
        if not group.rows:
            return _Rows(np.arange(count), certain, np.full(count, TRUE_NODE, dtype=np.int64))
        holds = [np.broadcast_to(self._joined(False, row.body), self.shape).reshape(-1) for row in group.rows]
        places = [np.flatnonzero(h) for h in holds]
        which = np.repeat(np.arange(len(places)), [len(p) for p in places])
        point = np.concatenate(places)
        order = np.argsort(point, kind="stable")
        active, ends = which[order].tolist(), starts_of(np.bincount(point, minlength=count)).tolist()
        known: dict[tuple[int, ...], Outcomes] = {(): [(0, TRUE_NODE)]}
        found = [self._together(group, tuple(active[ends[i] : ends[i + 1]]), known) for i in range(count)]
        points = np.repeat(np.arange(count), [len(f) for f in found])
        states = np.array([state for outcomes in found for state, _ in outcomes], dtype=np.int64)
        nodes = np.array([node for outcomes in found for _, node in outcomes], dtype=np.int64)
        return _Rows(points, states | certain[points], nodes)

    def _together(self, group: Group, rows: tuple[int, ...], known: dict[tuple[int, ...], Outcomes]) -> Outcomes:
        """What rows whose bodies all hold make of the heads, from what is known of the first ones of them."""
        start = next(count for count in range(len(rows), -1, -1) if rows[:count] in known)
        for count in range(start, len(rows)):
            before, last = known[rows[:count]], self._builder.row_outcomes(group, group.rows[rows[count]])
            known[rows[: count + 1]] = self._crossed(before, last) if count else last
        return known[rows]

    def _crossed(self, before: Outcomes, last: Outcomes) -> Outcomes:
        ways: dict[int, list[tuple[int, int]]] = {}
        for state, node in before:
            for more, leaf in last:
                ways.setdefault(state | more, []).append((node, leaf))
        pairs = np.array([pair for several in ways.values() for pair in several], dtype=np.int64)
        of_way = np.repeat(np.arange(len(ways)), [len(several) for several in ways.values()])
        nodes = self._builder.sums(of_way, len(ways), pairs[:, 0], pairs[:, 1]).tolist()
        return list(zip(ways, nodes, strict=True))
