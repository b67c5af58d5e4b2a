"""`Plan`: a circuit whose leaves read actual weight tensors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from deepplp.circuit.circuit import TRUE_NODE, Circuit

__all__ = ["Plan", "bind", "lay_end_to_end", "starts_of"]

IntArray = NDArray[np.int64]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A circuit bound to two weight tensors, ``batched`` and ``shared``.

    ``batched`` is a row of blocks, block i a matrix [batch, widths[i]], laid flat one after another; a single matrix
    [batch, b] is the case of one block. Networks' outputs are such blocks as they come. ``shared`` [s] holds for all
    rows. Entry k of the leaves reads ``batched[bases[k] * batch + row * strides[k] + offsets[k]]`` where
    ``strides[k] > 0``, and ``shared[offsets[k]]`` where it is 0.

    ``roots`` holds the queries' nodes and, behind them, those of evidence: query q is conditioned on the root at place
    ``given[q]``. A bound circuit has one evidence for all its queries, circuits laid end to end have one each.
    ``choices`` is the number of choices that the leaves read: the degree of the polynomial that a root is, at most.
    ``kept`` is what evaluations made of the plan and can use again, such as its arrays on a device.
    """

    widths: tuple[int, ...]
    leaf_offsets: IntArray
    bases: IntArray
    strides: IntArray
    offsets: IntArray
    node_offsets: IntArray
    primes: IntArray
    subs: IntArray
    roots: IntArray
    given: IntArray
    choices: int
    conditioned: bool
    kept: dict[Hashable, Any] = field(init=False, repr=False, default_factory=dict)

    def keep(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made of the plan under a key before, or is made now; it lives as long as the plan."""
        if key not in self.kept:
            self.kept[key] = make()
        made: Made = self.kept[key]
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Plan:
        return self  # nothing in it ever changes

    @property
    def nodes(self) -> int:
        """The number of nodes, the constants included."""
        return len(self.node_offsets) - 1

    @property
    def leaves(self) -> int:
        """The number of leaves."""
        return len(self.leaf_offsets) - 1

    @property
    def queries(self) -> int:
        """The number of queries."""
        return len(self.given)

    @property
    def width(self) -> int:
        """The number of batched weights a row."""
        return sum(self.widths)


def bind(circuit: Circuit, column_map: IntArray | None = None, widths: Sequence[int] | None = None) -> Plan:
    """Bind a circuit's columns to weights.

    ``column_map[c]`` is the weight of circuit column c: w >= 0 is the w-th weight of a row, counted through all blocks,
    and w < 0 is ``shared[-w - 1]``. By default all columns are batched, as one block in the circuit's order.
    """
    column_map = np.arange(circuit.columns, dtype=np.int64) if column_map is None else column_map
    widths = (circuit.columns,) if widths is None else tuple(widths)
    weights = column_map[circuit.leaf_columns]
    starts = starts_of(widths)
    block = np.clip(np.searchsorted(starts, weights, side="right") - 1, 0, max(0, len(widths) - 1))
    batched = weights >= 0
    sizes = np.asarray(widths or (0,), dtype=np.int64)
    owners = np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right")
    return Plan(
        widths,
        circuit.leaf_offsets,
        np.where(batched, starts[block], 0),
        np.where(batched, sizes[block], 0),
        np.where(batched, weights - starts[block], -weights - 1),
        circuit.node_offsets,
        circuit.primes,
        circuit.subs,
        np.append(circuit.roots, circuit.evidence).astype(np.int64),
        np.full(len(circuit.roots), len(circuit.roots), dtype=np.int64),
        len(np.unique(owners)),
        circuit.evidence != TRUE_NODE,
    )


def lay_end_to_end(plans: Sequence[Plan], weights: Sequence[IntArray]) -> Plan:
    """One plan of several circuits that read no batched weights, so that one walk of one row evaluates them all.

    ``weights[i][k]`` is the place in the common ``shared`` vector of what plan i calls ``shared[k]``. Queries and
    evidence stand in the plans' order.
    """
    leaves = starts_of([p.leaves for p in plans])
    entries = starts_of([len(p.offsets) for p in plans])
    nodes = starts_of([p.nodes - 2 for p in plans])  # the constants are everyone's
    queries = starts_of([p.queries for p in plans])
    evidence = starts_of([len(p.roots) - p.queries for p in plans])

    def placed(indices: IntArray, first: int) -> IntArray:
        return np.where(indices < 2, indices, indices + first)

    sizes = [np.zeros(2, dtype=np.int64), *(np.diff(p.node_offsets)[2:] for p in plans)]
    roots = [placed(p.roots, int(n)) for p, n in zip(plans, nodes, strict=False)]
    given = [p.given - p.queries + int(queries[-1]) + int(e) for p, e in zip(plans, evidence, strict=False)]
    total = int(entries[-1])
    return Plan(
        (),
        np.concatenate([*(p.leaf_offsets[:-1] + e for p, e in zip(plans, entries, strict=False)), [total]]),
        np.zeros(total, dtype=np.int64),
        np.zeros(total, dtype=np.int64),
        np.concatenate([w[p.offsets] for p, w in zip(plans, weights, strict=True)]),
        starts_of(np.concatenate(sizes)),
        np.concatenate([p.primes + first for p, first in zip(plans, leaves, strict=False)]),
        np.concatenate([placed(p.subs, int(n)) for p, n in zip(plans, nodes, strict=False)]),
        np.concatenate([*(r[: p.queries] for r, p in zip(roots, plans, strict=True)),
                        *(r[p.queries :] for r, p in zip(roots, plans, strict=True))]),
        np.concatenate(given),
        max(p.choices for p in plans),
        any(p.conditioned for p in plans),
    )  # fmt: skip


def starts_of(sizes: Sequence[int] | IntArray) -> IntArray:
    """Where stretches of these sizes start, one behind another, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
