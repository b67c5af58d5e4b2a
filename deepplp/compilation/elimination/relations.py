"""Relations over categorical variables: which values go together, and the circuit node that weighs each combination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepplp.circuit import TRUE_NODE, IntArray, stretches
from deepplp.compilation.elimination.products import Products

__all__ = ["Relation", "joined", "joined_without", "merged", "reduced"]

Values = NDArray[np.int32]

_MOST = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A sparse table: row i says that the variables ``scope`` may take ``values[i]``, with the weight ``nodes[i]``.

    Shapes: ``values`` [rows, variables of the scope], ``nodes`` [rows], references as `Products` has them. Combinations
    that have no row have weight 0.
    """

    scope: tuple[int, ...]
    values: Values
    nodes: IntArray

    @property
    def rows(self) -> int:
        """The number of combinations that have a weight."""
        return len(self.nodes)

    def of(self, variable: int) -> Values:
        """The values of one variable, row by row."""
        return self.values[:, self.scope.index(variable)]


def _codes(values: Values, sizes: Sequence[int]) -> IntArray:
    """A number for each row, equal for equal rows alone."""
    code = np.zeros(len(values), dtype=np.int64)
    span = 1
    for column, size in enumerate(sizes):
        if span > _MOST // max(1, size):  # what there is so far is numbered anew, as there are not so many rows
            known, code = np.unique(code, return_inverse=True)
            code, span = code.reshape(-1).astype(np.int64), len(known)
        code = code * size + values[:, column]
        span *= size
    return code


def _pairs(left: Relation, right: Relation, sizes: Mapping[int, int], products: Products) -> tuple[IntArray, IntArray]:
    """The rows of both that agree on the variables that they share."""
    shared = [v for v in left.scope if v in right.scope]
    of_left, of_right = [left.scope.index(v) for v in shared], [right.scope.index(v) for v in shared]
    both = np.concatenate([left.values[:, of_left], right.values[:, of_right]])
    codes = _codes(both, [sizes[v] for v in shared])
    mine, theirs = codes[: left.rows], codes[left.rows :]
    order = np.argsort(theirs, kind="stable")
    ordered = theirs[order]
    first, last = np.searchsorted(ordered, mine, "left"), np.searchsorted(ordered, mine, "right")
    counts = last - first
    total = int(counts.sum())
    products.meter.spend(total, products.count + total)
    return np.repeat(np.arange(left.rows), counts), order[stretches(first, counts)]


def _combined(left: Relation, right: Relation, rows: tuple[IntArray, IntArray]) -> tuple[tuple[int, ...], Values]:
    """The scope and the values of rows put together."""
    new = [v for v in right.scope if v not in left.scope]
    columns = [right.scope.index(v) for v in new]
    return (*left.scope, *new), np.concatenate([left.values[rows[0]], right.values[rows[1]][:, columns]], axis=1)


def joined(left: Relation, right: Relation, sizes: Mapping[int, int], products: Products) -> Relation:
    """The product of two relations. ``sizes`` are the numbers of values of the variables."""
    rows = _pairs(left, right, sizes, products)
    scope, values = _combined(left, right, rows)
    return Relation(scope, values, products.product(left.nodes[rows[0]], right.nodes[rows[1]]))


def joined_without(
    left: Relation, right: Relation | None, variable: int, sizes: Mapping[int, int], products: Products
) -> Relation:
    """The product of two relations (or the one), summed over the values of a variable."""
    if right is None:
        scope, values, factors = left.scope, left.values, (left.nodes, np.full(left.rows, TRUE_NODE, dtype=np.int64))
    else:
        rows = _pairs(left, right, sizes, products)
        scope, values = _combined(left, right, rows)
        factors = left.nodes[rows[0]], right.nodes[rows[1]]
    kept = [i for i, v in enumerate(scope) if v != variable]
    return merged(tuple(scope[i] for i in kept), values[:, kept], factors, sizes, products)


def merged(
    scope: tuple[int, ...],
    values: Values,
    factors: tuple[IntArray, IntArray],
    sizes: Mapping[int, int],
    products: Products,
) -> Relation:
    """A relation from rows, each with two factors, of which several may have the same values: their weights add up."""
    codes = _codes(values, [sizes[v] for v in scope])
    _, first, group = np.unique(codes, return_index=True, return_inverse=True)
    return Relation(scope, values[first], products.sums(group.reshape(-1), len(first), *factors))


def reduced(relations: list[Relation], sizes: Mapping[int, int]) -> list[Relation]:
    """The relations without the rows that none of the others allows for one of their variables.

    Each variable keeps the values that all its relations allow (generalised arc consistency; Mackworth, "Consistency in
    networks of relations", Artificial Intelligence 1977).
    """
    allowed = {v: np.ones(sizes[v], dtype=np.bool_) for relation in relations for v in relation.scope}
    users: dict[int, list[int]] = {}
    for number, relation in enumerate(relations):
        for variable in relation.scope:
            users.setdefault(variable, []).append(number)
    found = list(relations)
    waiting = dict.fromkeys(range(len(found)))
    while waiting:
        number = next(iter(waiting))
        del waiting[number]
        relation = found[number]
        kept = np.ones(relation.rows, dtype=np.bool_)
        for column, variable in enumerate(relation.scope):
            kept &= allowed[variable][relation.values[:, column]]
        if not kept.all():
            relation = found[number] = Relation(relation.scope, relation.values[kept], relation.nodes[kept])
        for column, variable in enumerate(relation.scope):
            seen = np.zeros(sizes[variable], dtype=np.bool_)
            seen[relation.values[:, column]] = True
            if (allowed[variable] & ~seen).any():
                allowed[variable] &= seen
                waiting.update(dict.fromkeys(n for n in users[variable] if n != number))
    return found
