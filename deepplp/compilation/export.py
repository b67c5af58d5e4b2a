"""From a diagram to the flat arrays of a `Circuit`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit, starts_of
from deepplp.compilation.algebra import Algebra, Function
from deepplp.compilation.encoding import EncodedChoice
from deepplp.formula import Formula

__all__ = ["export"]


def export(
    formula: Formula,
    encoded: Sequence[EncodedChoice],
    diagram: Algebra[Function],
    roots: Sequence[Function],
    evidence: Function,
) -> Circuit:
    """The circuit of the nodes that the roots and the evidence use, each numbered behind those that it uses."""
    offsets = starts_of([len(c.values) for c in formula.choices])
    number = {0: FALSE_NODE, 1: TRUE_NODE}
    elements: list[list[tuple[int, int]]] = [[], []]
    leaves: dict[tuple[int, tuple[int, ...]], int] = {}
    columns: list[list[int]] = []
    for node, level, branches in diagram.decisions([*roots, evidence]):
        pairs: list[tuple[int, int]] = []
        for classes, below in branches:
            key = (level, classes)
            leaf = leaves.get(key)
            if leaf is None:
                choice = encoded[level]
                leaf = leaves[key] = len(columns)
                start = int(offsets[choice.choice])
                columns.append([start + v for j in classes for v in choice.classes[j]])
            pairs.append((leaf, number[below]))
        number[node] = len(elements)
        elements.append(sorted(pairs))
    flat = np.asarray([e for pairs in elements for e in pairs], dtype=np.int64).reshape(-1, 2)
    return Circuit(
        column_offsets=offsets,
        order=np.asarray([e.choice for e in encoded], dtype=np.int64),
        leaf_offsets=starts_of([len(row) for row in columns]),
        leaf_columns=np.asarray([c for row in columns for c in row], dtype=np.int64),
        node_offsets=starts_of([len(pairs) for pairs in elements]),
        primes=np.ascontiguousarray(flat[:, 0]),
        subs=np.ascontiguousarray(flat[:, 1]),
        roots=np.asarray([number[diagram.number(r)] for r in roots], dtype=np.int64),
        evidence=number[diagram.number(evidence)],
    )
