"""From groups of gates to a network of relations: the weights of every combination of a group and what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepplp.circuit import TRUE_NODE, IntArray, starts_of
from deepplp.compilation.elimination.grid import Decision, Grid, Leaves, Rows, Truth, kinds_of
from deepplp.compilation.elimination.grouping import groups_of
from deepplp.compilation.elimination.groups import MOST_HEADS, Group
from deepplp.compilation.elimination.products import Products
from deepplp.compilation.elimination.propagation import ContradictionError, Literal, Simplified
from deepplp.compilation.elimination.relations import Relation, Values, merged
from deepplp.formula import Atom, Formula

__all__ = ["Network", "network_of"]


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
    queries: list[Decision | bool] = field(default_factory=list)
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
        self._simple = simple
        self._products = products
        self._leaves = Leaves(products, starts_of([len(c.values) for c in formula.choices]), simple.domains)
        self._network = Network()
        self._decided: dict[int, Decision] = {}  # of gates
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
                network.queries.append(self._decide_literal(query))
        for clause in simple.clauses:
            gate = simple.gates[abs(clause) - 1]
            if isinstance(gate, Atom):
                variable, truth = self._decide_literal(clause)
                values = np.flatnonzero(truth).astype(np.int32)
                self._relation((variable,), values[:, None], np.full(len(values), TRUE_NODE), conditioned=True)
        for choice in sorted(simple.restricted - self._variable_of.keys()):
            leaf = self._leaves.leaf(choice, self._leaves.domain(choice))
            self._relation((), np.empty((1, 0), dtype=np.int32), np.array([leaf]), conditioned=True)
        return network

    def _read(self, groups: Sequence[Group]) -> set[int]:
        """The gates that are asked for or that some group reads."""
        found = {abs(q) - 1 for q in self._simple.queries if not isinstance(q, bool)}
        for group in groups:
            for member in (group, *group.guests):
                found.update(member.reads(self._simple.gates)[0])
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

    def _decide(self, number: int) -> Decision:
        """By which variable a gate is decided, and for which of its values it holds."""
        gate = self._simple.gates[number]
        if number not in self._decided and isinstance(gate, Atom):
            self._add_choice(gate.choice)
        return self._decided[number]

    def _decide_literal(self, literal: Literal) -> Decision:
        variable, truth = self._decide(abs(literal) - 1)
        return variable, truth if literal > 0 else ~truth

    def _add_choice(self, choice: int) -> None:
        """A choice as a variable: values that nothing mentions are one."""
        atoms, domain = self._atoms[choice], self._leaves.domain(choice)
        classes = [[v] for v in domain if v in atoms]
        rest = [v for v in domain if v not in atoms]
        if rest:
            classes.append(rest)
        variable = self._variable_of[choice] = self._variable(len(classes), (choice,))
        for number, members in enumerate(classes):
            if members[0] in atoms:
                self._decided[atoms[members[0]]] = variable, np.arange(len(classes)) == number
        nodes = np.array([self._leaves.leaf(choice, members) for members in classes])
        values = np.arange(len(classes), dtype=np.int32)[:, None]
        self._relation((variable,), values, nodes, conditioned=choice in self._simple.restricted)

    def _add(self, group: Group, read: set[int]) -> None:
        """The relation of a group and what it reads, and those of its guests."""
        grid = Grid(self._simple.gates, [group, *group.guests], self._decide, self._network.sizes)
        if not group.rows and not group.guests and not read.intersection(group.heads):
            self._restrict(grid, group)
            return
        rows = grid.outcomes(group, self._leaves)
        heads = list(group.heads)
        states = kinds_of(rows.states, heads, read)
        for guest in group.guests:
            together = Rows(rows.points, rows.states | grid.certain(guest)[rows.points] << len(heads), rows.nodes)
            both = [*heads, *guest.heads]
            found = kinds_of(together.states, both, read)
            if len(both) <= MOST_HEADS and found <= max(states, sum(h in read for h in both) + 1):
                rows, heads, states = together, both, found
            else:
                self._relate(grid, grid.outcomes(guest, self._leaves), list(guest.heads), read)
        self._relate(grid, rows, heads, read)

    def _restrict(self, grid: Grid, group: Group) -> None:
        """Gates that only a clause reads: they say which combinations there are, together with others like them."""
        holds = self._fits(grid.certain(group), group.heads)
        axes = sorted(range(len(grid.variables)), key=lambda axis: grid.variables[axis])
        scope = tuple(grid.variables[axis] for axis in axes)
        allowed = holds.reshape(grid.shape).transpose(axes)
        self._allowed[scope] = self._allowed.get(scope, np.True_) & allowed

    def _fits(self, states: IntArray, heads: Sequence[int]) -> Truth:
        """Which states of heads the clauses allow."""
        fits: Truth = np.ones(len(states), dtype=np.bool_)
        for bit, head in enumerate(heads):
            if head in self._clauses:
                fits &= (states >> bit & 1 == 1) == self._clauses[head]
        return fits

    def _relate(self, grid: Grid, rows: Rows, heads: list[int], read: set[int]) -> None:
        """Make heads one variable, and add the relation of that and the grid's variables."""
        kept = self._fits(rows.states, heads)
        points, states, nodes = (column[kept] for column in rows)
        if not len(points):
            raise ContradictionError
        shown = [h for h in heads if h in read]
        found, which = np.unique(states & sum(1 << heads.index(h) for h in shown), return_inverse=True)
        values = np.stack([*np.unravel_index(points, grid.shape)], axis=1) if grid.shape else np.empty((len(points), 0))
        scope = grid.variables
        if shown:
            below = [c for v in grid.variables for c in self._network.choices[v]]
            variable = self._variable(len(found), tuple(dict.fromkeys(grid.rows or below)))
            for head in shown:
                self._decided[head] = variable, (found >> heads.index(head)) & 1 == 1
            scope = (*scope, variable)
            values = np.concatenate([values, which.reshape(-1, 1)], axis=1)
        ones = np.full(len(nodes), TRUE_NODE, dtype=np.int64)
        made = merged(scope, values.astype(np.int32), (nodes, ones), self._network.sizes, self._products)
        self._relation(made.scope, made.values, made.nodes, conditioned=not self._clauses.keys().isdisjoint(heads))
