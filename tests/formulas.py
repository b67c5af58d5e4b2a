"""Formulas built by hand, without an engine, and weights for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from deepplp.circuit import Circuit
from deepplp.compilation import CompilerName
from deepplp.formula import And, Atom, Choice, Fixed, Formula, Goal, Node, Or

ALONG_ORDERS: tuple[CompilerName, ...] = ("portfolio", "sdd")
"""The compilers that take an order, and cycles."""

NOTHING = torch.zeros(0, dtype=torch.float64)
"""No shared weights."""


def uniform(values: int) -> Choice:
    """A choice whose values are equally likely."""
    return Choice(tuple(map(str, range(values))), Fixed((1.0 / values,) * values))


def conjunction(n: int) -> Formula:
    """n independent facts, all of which must hold."""
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(n)), And(tuple(range(2, n + 2)))]
    return Formula((uniform(2),) * n, tuple(nodes), (Goal("all", n + 2),))


def chain(n: int) -> Formula:
    """Two numbers of n digits and their sum's n + 1, the lowest digit first, added with carries.

    Choices: x0, y0, z0, x1, y1, z1, …, and last zn, the last carry.
    """
    choices = (uniform(10),) * (3 * n + 1)
    nodes: list[Node] = [And(())]

    def add(node: Node) -> int:
        nodes.append(node)
        return len(nodes)

    x, y, z = ([[add(Atom(3 * i + k, v)) for v in range(10)] for i in range(n)] for k in range(3))
    last = [add(Atom(3 * n, carry)) for carry in (0, 1)]
    for i in range(n - 1, -1, -1):
        rows: list[list[int]] = [[], []]
        for carry in (0, 1) if i else (0,):
            for a in range(10):
                for b in range(10):
                    s = a + b + carry
                    rows[carry].append(add(And((x[i][a], y[i][b], z[i][s % 10], last[s // 10]))))
        last = [add(Or(tuple(row))) for row in rows if row]
    return Formula(choices, tuple(nodes), (Goal("addition", last[0]),))


def disjoint(literals: Sequence[int]) -> Formula:
    """Queries, one a literal, over the atoms of one choice: literal k is value k - 2 (1 is true)."""
    size = max(abs(k) for k in literals)
    nodes = [And(()), *(Atom(0, v) for v in range(size - 1))]
    return Formula((uniform(size),), tuple(nodes), tuple(Goal(str(k), k) for k in literals))


def random_weights(circuit: Circuit, rows: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random distributions for every choice of a circuit: [rows, columns]."""
    generator = torch.Generator().manual_seed(seed)
    blocks = [
        torch.rand(rows, int(b - a), generator=generator, dtype=torch.float64).softmax(1)
        for a, b in zip(circuit.column_offsets[:-1], circuit.column_offsets[1:], strict=True)
    ]
    return torch.cat(blocks, dim=1).to(dtype)


def fixed_weights(formula: Formula) -> list[tuple[float, ...]]:
    """The probabilities that a formula's choices state."""
    return [c.origin.probabilities for c in formula.choices if isinstance(c.origin, Fixed)]


def flat(formula: Formula) -> torch.Tensor:
    """The same as one row of weights [1, columns]."""
    return torch.tensor([[p for w in fixed_weights(formula) for p in w]], dtype=torch.float64)
