"""Random circuits whose elements are products of nodes, and what their roots are in every world.

A `Builder` makes circuits by hand. Beside each node it keeps the set of worlds in which the node holds, as bits, and
its ways: the columns of the weights in each of its products, multiplied out. So the oracle needs no evaluation. It also
checks what it builds: the factors of an element share no choice, and no two elements of a node hold in one world.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from deepplp.circuit import Circuit, starts_of
from tests.oracles import assignments

__all__ = ["Builder", "Function", "MadeCircuit", "random_circuit"]


@dataclass(frozen=True, eq=False)
class Function:
    """A leaf or a node: the worlds in which it holds, as bits, its ways, and the choices below it."""

    is_leaf: bool
    number: int
    worlds: int
    ways: tuple[tuple[int, ...], ...]
    scope: frozenset[int]


@dataclass(frozen=True)
class MadeCircuit:
    """A circuit, and the worlds and the ways in which its roots and, last, its evidence hold.

    Worlds and ways are columns of weights: a world has one of each choice, a way none of the choices that it skips.
    """

    circuit: Circuit
    worlds: list[list[tuple[int, ...]]]
    ways: list[tuple[tuple[int, ...], ...]]

    def exact(self, weights: Sequence[float]) -> tuple[list[Fraction], list[list[Fraction]]]:
        """The values of all roots and of the evidence, and their derivatives by each weight, for one row of weights."""
        numbers = [Fraction(w) for w in weights]
        values, derivatives = [], []
        for ways in self.ways:
            value, gradient = Fraction(0), [Fraction(0)] * len(numbers)
            for columns in ways:
                value += math.prod((numbers[c] for c in columns), start=Fraction(1))
                for i, column in enumerate(columns):
                    others = (numbers[c] for j, c in enumerate(columns) if j != i)
                    gradient[column] += math.prod(others, start=Fraction(1))
            values.append(value)
            derivatives.append(gradient)
        return values, derivatives


class Builder:
    """Makes a circuit over choices of these sizes, node by node."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = sizes
        self._starts = starts_of(sizes).tolist()
        self._worlds = list(assignments(sizes))
        everywhere = (1 << len(self._worlds)) - 1
        self.false = Function(False, 0, 0, (), frozenset())
        self.true = Function(False, 1, everywhere, ((),), frozenset())
        self.elements: dict[Function, list[tuple[Function, Function]]] = {}
        self._leaves: dict[tuple[int, tuple[int, ...]], Function] = {}

    def leaf(self, choice: int, values: Sequence[int]) -> Function:
        """The values of a choice."""
        key = choice, tuple(sorted(values))
        worlds = sum(1 << i for i, world in enumerate(self._worlds) if world[choice] in values)
        ways = tuple((self._starts[choice] + v,) for v in values)
        return self._leaves.setdefault(key, Function(True, len(self._leaves), worlds, ways, frozenset([choice])))

    def node(self, elements: Sequence[tuple[Function, Function]]) -> Function:
        """The sum of some products; one of the two factors of each is a node."""
        worlds, scope = 0, frozenset[int]()
        for a, b in elements:
            assert not a.scope & b.scope, "not decomposable"
            assert not a.worlds & b.worlds & worlds, "not deterministic"
            worlds |= a.worlds & b.worlds
            scope |= a.scope | b.scope
        ways = tuple((*x, *y) for a, b in elements for x in a.ways for y in b.ways)
        made = Function(False, len(self.elements) + 2, worlds, ways, scope)
        self.elements[made] = [(b, a) if b.is_leaf else (a, b) for a, b in elements]
        return made

    def derivatives(self, root: Function) -> dict[Function, Function]:
        """The derivatives of a root by every leaf and node below it, as nodes: the worlds that lead there."""
        found = {root: self.true}
        ways: dict[Function, list[tuple[Function, Function]]] = {}
        below = sorted(self._below(root), key=lambda f: (f.is_leaf, -f.number))
        for function in below:
            if function in ways:
                found[function] = self.node(ways[function])
            elif function is not root:  # it stands beside what is false only
                continue
            for a, b in self.elements.get(function, ()):
                for factor, other in ((a, b), (b, a)):
                    if factor.scope and factor.worlds and found[function].worlds & other.worlds:
                        if other.is_leaf:
                            ways.setdefault(factor, []).append((other, found[function]))
                        else:
                            ways.setdefault(factor, []).append((found[function], other))
        return {f: found[f] for f in below if f in found}

    def _below(self, root: Function) -> set[Function]:
        seen, left = {root}, [root]
        while left:
            for pair in self.elements.get(left.pop(), ()):
                for factor in pair:
                    if factor not in seen and factor.scope and factor.worlds:
                        seen.add(factor)
                        left.append(factor)
        return seen

    def circuit(self, roots: Sequence[Function], evidence: Function) -> MadeCircuit:
        """All that was built, as a circuit without an order."""
        leaves, starts = list(self._leaves), self._starts

        def factor(f: Function) -> int:
            return f.number if f.is_leaf else len(leaves) + f.number

        pairs = [pair for elements in self.elements.values() for pair in elements]
        circuit = Circuit(
            column_offsets=starts_of(self.sizes),
            order=np.zeros(0, dtype=np.int64),
            leaf_offsets=starts_of([len(values) for _, values in leaves]),
            leaf_columns=np.array([starts[c] + v for c, values in leaves for v in values], dtype=np.int64),
            node_offsets=np.concatenate([[0, 0], starts_of([len(e) for e in self.elements.values()])]),
            primes=np.array([factor(a) for a, _ in pairs], dtype=np.int64),
            subs=np.array([b.number for _, b in pairs], dtype=np.int64),
            roots=np.array([f.number for f in roots], dtype=np.int64),
            evidence=evidence.number,
        )
        every = [tuple(starts[c] + v for c, v in enumerate(world)) for world in self._worlds]
        worlds = [[w for i, w in enumerate(every) if f.worlds >> i & 1] for f in (*roots, evidence)]
        return MadeCircuit(circuit, worlds, [f.ways for f in (*roots, evidence)])


def random_circuit(seed: int, most_choices: int = 6) -> MadeCircuit:
    """A random circuit: functions of disjoint groups of choices, multiplied and added up; perhaps its derivatives."""
    rng = random.Random(seed)
    builder = Builder([rng.randint(1, 3) for _ in range(rng.randint(1, most_choices))])
    functions = _exclusive(builder, rng, rng.sample(range(len(builder.sizes)), len(builder.sizes)))
    chosen = rng.sample(functions, rng.randint(1, len(functions)))
    kind = rng.choice(["no evidence", "evidence", "derivatives"])
    if kind == "no evidence":
        return builder.circuit([*chosen, *rng.choice([[], [builder.true], [builder.false]])], builder.true)
    evidence = builder.node([rng.choice([(builder.true, f), (f, builder.true)]) for f in chosen])
    if kind == "evidence":
        return builder.circuit([rng.choice(chosen), builder.false, evidence], evidence)
    ways = builder.derivatives(evidence)
    roots = [builder.node([(f, way)]) for f, way in ways.items()]
    return builder.circuit(roots, evidence)


def _exclusive(builder: Builder, rng: random.Random, choices: Sequence[int]) -> list[Function]:
    """Some nodes over some choices, no two of which hold in the same world."""
    if len(choices) == 1:
        (choice,) = choices
        groups: dict[int, list[int]] = {}
        for value in range(builder.sizes[choice]):
            groups.setdefault(rng.randrange(3), []).append(value)
        return [builder.node([(builder.leaf(choice, values), builder.true)]) for values in groups.values()]
    cut = rng.randint(1, len(choices) - 1)
    left, right = _exclusive(builder, rng, choices[:cut]), _exclusive(builder, rng, choices[cut:])
    groups_of: dict[int, list[tuple[Function, Function]]] = {}
    for f in left:
        by = builder.elements[f][0] if len(builder.elements[f]) == 1 else None
        # A function of one choice may stand in a product as its leaf.
        factor = by[0] if by is not None and by[0].is_leaf and by[1] is builder.true and rng.random() < 0.5 else f
        if rng.random() < 0.2:
            groups_of.setdefault(rng.randrange(3), []).append((factor, builder.true))  # the other choices do not matter
            continue
        for g in right:
            if rng.random() < 0.8:
                pair = (factor, g) if rng.random() < 0.5 else (g, factor)
                groups_of.setdefault(rng.randrange(3), []).append(pair)
        if rng.random() < 0.1:
            groups_of.setdefault(rng.randrange(3), []).append((factor, builder.false))
    made = [builder.node(pairs) for pairs in groups_of.values()]
    return made or [builder.node([(left[0], right[0])])]
