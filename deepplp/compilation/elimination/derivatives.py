"""The derivatives of a circuit's root as circuits: what each marked node is multiplied with, summed over all worlds.

The probability of a query together with the evidence is the derivative of the evidence's by the query's indicator
(Darwiche, "A differential approach to inference in Bayesian networks", JACM 2003). Written down as nodes, all queries
are roots of one circuit about twice as large, and their gradients are those of any root.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from deepplp.circuit import FALSE_NODE, TRUE_NODE, IntArray
from deepplp.compilation.elimination.products import Products, Round

__all__ = ["derivatives"]

Terms = tuple[IntArray, IntArray, IntArray]
"""Products by the node that they are a part of the derivative of: nodes, and two factors each."""


def derivatives(products: Products, seeds: Mapping[int, int], marked: IntArray) -> dict[int, int]:
    """The nodes of the derivatives by the ``marked`` nodes, those without one left out: it is 0.

    ``seeds`` are the nodes that are added up, each times a node that it is multiplied with.
    """
    rounds = list(products.rounds)
    above = _above(rounds, products.count, marked)
    firsts = [r.first for r in rounds]
    waiting: dict[int, list[Terms]] = {}
    by = np.full(products.count, FALSE_NODE, dtype=np.int64)
    starts, factors = (np.array(list(c), dtype=np.int64) for c in (seeds.keys(), seeds.values()))
    _send(waiting, firsts, above, (starts, factors, np.full_like(starts, TRUE_NODE)))
    for number in range(len(rounds) - 1, -1, -1):
        received = waiting.pop(number, None)
        if received is None:
            continue
        target, left, right = (np.concatenate(column) for column in zip(*received, strict=True))
        nodes, group = np.unique(target, return_inverse=True)
        by[nodes] = products.sums(group.reshape(-1), len(nodes), left, right)
        made = rounds[number]
        parents = made.first + np.repeat(np.arange(len(made.offsets) - 1), np.diff(made.offsets))
        for mine, other in ((made.left, made.right), (made.right, made.left)):
            passed = (mine > TRUE_NODE) & (by[parents] != FALSE_NODE)
            passed[passed] = above[mine[passed]]
            _send(waiting, firsts, above, (mine[passed], by[parents[passed]], other[passed]))
    return {int(node): int(by[node]) for node in marked if by[node] != FALSE_NODE}


def _above(rounds: Sequence[Round], count: int, marked: IntArray) -> NDArray[np.bool_]:
    """Which nodes are marked or use such a node."""
    found = np.zeros(count, dtype=np.bool_)
    found[marked] = True
    for made in rounds:
        if len(made.left):
            used = np.zeros(len(made.left), dtype=np.bool_)
            for side in (made.left, made.right):
                nodes = side >= 0
                used[nodes] |= found[side[nodes]]
            nodes_used = np.logical_or.reduceat(used, made.offsets[:-1])
            found[made.first : made.first + len(nodes_used)] |= nodes_used
    return found


def _send(waiting: dict[int, list[Terms]], firsts: Sequence[int], above: NDArray[np.bool_], terms: Terms) -> None:
    """Hand terms to the rounds of the nodes that they belong to."""
    kept = (terms[0] > TRUE_NODE) & above[np.maximum(terms[0], 0)]
    target, left, right = (column[kept] for column in terms)
    if not len(target):
        return
    if target.min() == target.max():
        waiting.setdefault(bisect_right(firsts, int(target[0])) - 1, []).append((target, left, right))
        return
    owner = np.searchsorted(firsts, target, side="right") - 1
    for number in np.unique(owner).tolist():
        mine = owner == number
        waiting.setdefault(number, []).append((target[mine], left[mine], right[mine]))
