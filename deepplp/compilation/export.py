"""From a diagram to the flat arrays of a `Circuit`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit, IntArray
from deepplp.compilation.diagram import Diagram
from deepplp.compilation.encoding import EncodedChoice
from deepplp.formula import Formula

__all__ = ["export"]


def export(
    formula: Formula, diagram: Diagram, encoded: Sequence[EncodedChoice], roots: Sequence[int], evidence: int
) -> Circuit:
    """The circuit of the nodes that the roots and the evidence use, each numbered behind those that it uses."""
    sizes = [len(c.values) for c in formula.choices]
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
    number = {0: FALSE_NODE, 1: TRUE_NODE}
    elements: list[list[tuple[int, int]]] = [[], []]
    leaves: dict[tuple[int, tuple[int, ...]], int] = {}
    columns: list[list[int]] = []
    for node in _bottom_up(diagram, [*roots, evidence]):
        level, kids = diagram.level[node], diagram.kids[node]
        classes_of: dict[int, list[int]] = {}
        for index, kid in enumerate(kids):
            if kid:
                classes_of.setdefault(kid, []).append(index)
        pairs: list[tuple[int, int]] = []
        for kid, classes in classes_of.items():
            key = (level, tuple(classes))
            leaf = leaves.get(key)
            if leaf is None:
                choice = encoded[level]
                leaf = leaves[key] = len(columns)
                start = int(offsets[choice.choice])
                columns.append([start + v for j in classes for v in choice.classes[j]])
            pairs.append((leaf, number[kid]))
        number[node] = len(elements)
        elements.append(sorted(pairs))
    flat = np.asarray([e for pairs in elements for e in pairs], dtype=np.int64).reshape(-1, 2)
    return Circuit(
        column_offsets=offsets,
        order=np.asarray([e.choice for e in encoded], dtype=np.int64),
        leaf_offsets=_offsets(columns),
        leaf_columns=np.asarray([c for row in columns for c in row], dtype=np.int64),
        node_offsets=_offsets(elements),
        primes=np.ascontiguousarray(flat[:, 0]),
        subs=np.ascontiguousarray(flat[:, 1]),
        roots=np.asarray([number[r] for r in roots], dtype=np.int64),
        evidence=number[evidence],
    )


def _bottom_up(diagram: Diagram, roots: Sequence[int]) -> list[int]:
    """The nodes below the roots, the constants left out, each behind its kids."""
    found: dict[int, None] = {}
    seen = {0, 1}
    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in found or node < 2:
                stack.pop()
                continue
            if node in seen:
                found[node] = None
                stack.pop()
                continue
            seen.add(node)
            stack.extend(k for k in reversed(diagram.kids[node]) if k not in seen)
    return list(found)


def _offsets(rows: Sequence[Sequence[object]]) -> IntArray:
    return np.concatenate([[0], np.cumsum([len(r) for r in rows], dtype=np.int64)]).astype(np.int64)
