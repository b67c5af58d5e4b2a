"""`Plan`: a circuit whose leaves read actual weight tensors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np

from deepplp.circuit.circuit import TRUE_NODE, Circuit, IntArray
from deepplp.circuit.packing import pack, starts_of, unpack

__all__ = ["Plan", "PlanArrays", "as_one_matrix", "bind", "lay_end_to_end"]

Made = TypeVar("Made")


class PlanArrays(NamedTuple):
    """A bound circuit's index arrays.

    ``leaf_offsets`` [leaves + 1], ``node_offsets`` [nodes + 1], ``primes`` and ``subs`` [elements] are the circuit's.
    Entry k of the leaves reads ``batched[bases[k] * batch + row * strides[k] + offsets[k]]`` where ``strides[k] > 0``,
    and ``shared[offsets[k]]`` where it is 0: three arrays [entries of leaves].

    ``roots`` [queries + evidence] holds the queries' nodes and, behind them, those of evidence: query q is conditioned
    on the root at place ``given[q]``, [queries]. A bound circuit has one evidence for all its queries, circuits laid
    end to end have one each.
    """

    leaf_offsets: IntArray
    bases: IntArray
    strides: IntArray
    offsets: IntArray
    node_offsets: IntArray
    primes: IntArray
    subs: IntArray
    roots: IntArray
    given: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A circuit bound to two weight tensors, ``batched`` and ``shared``.

    ``batched`` is a row of blocks, block i a matrix [batch, widths[i]], laid flat one after another; a single matrix
    [batch, b] is the case of one block. Networks' outputs are such blocks as they come. ``shared`` [s] holds for all
    rows.

    ``packed`` holds the ``arrays`` one behind another (see `pack`). ``choices`` is the number of choices that the
    leaves read: the degree of the polynomial that a root is, at most. ``conditioned`` says whether there is evidence
    that may be false. ``width`` is the number of batched weights a row, and ``shared`` that of the shared weights that
    there must be, at least. ``nodes``, the constants included, ``leaves`` and ``queries`` are numbers of them. ``kept``
    is what evaluations made of the plan and can use again, such as its arrays on a device.
    """

    widths: tuple[int, ...]
    packed: IntArray
    choices: int
    conditioned: bool
    arrays: PlanArrays = field(init=False, repr=False)
    width: int = field(init=False)
    shared: int = field(init=False)
    nodes: int = field(init=False)
    leaves: int = field(init=False)
    queries: int = field(init=False)
    kept: dict[Hashable, Any] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        arrays = PlanArrays(*unpack(self.packed, len(PlanArrays._fields)))
        object.__setattr__(self, "arrays", arrays)
        object.__setattr__(self, "width", sum(self.widths))
        object.__setattr__(self, "shared", int(arrays.offsets[arrays.strides == 0].max(initial=-1)) + 1)
        object.__setattr__(self, "nodes", len(arrays.node_offsets) - 1)
        object.__setattr__(self, "leaves", len(arrays.leaf_offsets) - 1)
        object.__setattr__(self, "queries", len(arrays.given))

    def keep(self, key: Hashable, make: Callable[[Plan], Made]) -> Made:
        """What was made of the plan under a key before, or is made now; it lives as long as the plan."""
        made: Made | None = self.kept.get(key)
        if made is None:
            made = self.kept[key] = make(self)
        return made

    @property
    def has_node_primes(self) -> bool:
        """Whether some element is a product of two nodes."""
        return self.keep("has node primes", lambda p: bool((p.arrays.primes >= p.leaves).any()))

    def __deepcopy__(self, memo: dict[int, Any]) -> Plan:
        return self  # nothing in it ever changes


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
    arrays = PlanArrays(
        leaf_offsets=circuit.leaf_offsets,
        bases=np.where(batched, starts[block], 0),
        strides=np.where(batched, sizes[block], 0),
        offsets=np.where(batched, weights - starts[block], -weights - 1),
        node_offsets=circuit.node_offsets,
        primes=circuit.primes,
        subs=circuit.subs,
        roots=np.append(circuit.roots, circuit.evidence).astype(np.int64),
        given=np.full(len(circuit.roots), len(circuit.roots), dtype=np.int64),
    )
    return Plan(widths, pack([[a] for a in arrays]), len(np.unique(owners)), circuit.evidence != TRUE_NODE)


def as_one_matrix(plan: Plan, width: int) -> Plan:
    """A plan that reads no batched weights, reading each row's from a matrix [batch, width] instead of ``shared``."""
    arrays = plan.arrays._replace(strides=np.full_like(plan.arrays.strides, width))
    return Plan((width,), pack([[a] for a in arrays]), plan.choices, plan.conditioned)


def lay_end_to_end(plans: Sequence[Plan], weights: Sequence[IntArray]) -> Plan:
    """One plan of several circuits that read no batched weights, so that one walk of one row evaluates them all.

    ``weights[i][k]`` is the place in the common ``shared`` vector of what plan i calls ``shared[k]``. Queries and
    evidence stand in the plans' order.
    """
    parts = [plan.arrays for plan in plans]
    leaves = starts_of([plan.leaves for plan in plans])
    entries = starts_of([len(part.offsets) for part in parts])
    nodes = starts_of([plan.nodes - 2 for plan in plans])  # all circuits share the two constants
    elements = starts_of([len(part.primes) for part in parts])
    queries = starts_of([plan.queries for plan in plans])
    evidence = starts_of([len(part.roots) - len(part.given) for part in parts])
    read = starts_of(list(map(len, weights)))

    def moved(arrays: Sequence[IntArray], by: IntArray, where: IntArray) -> IntArray:
        """Arrays one behind another, the numbers of array i plus ``by[i]``; ``where`` are the starts of the arrays."""
        return np.concatenate(arrays) + np.repeat(by[: len(arrays)], np.diff(where))

    def placed(arrays: Sequence[IntArray], where: IntArray) -> IntArray:
        """Nodes of circuits as nodes of all."""
        return np.where(np.concatenate(arrays) < 2, np.concatenate(arrays), moved(arrays, nodes, where))

    primes = moved([p.primes for p in parts], leaves, elements)
    if any(plan.has_node_primes for plan in plans):
        as_nodes = [plan.arrays.primes - plan.leaves for plan in plans]
        primes = np.where(np.concatenate(as_nodes) < 0, primes, leaves[-1] + placed(as_nodes, elements))

    nothing = [np.zeros(entries[-1], dtype=np.int64)]
    no_elements = np.zeros(2, dtype=np.int64)
    pieces = {
        "leaf_offsets": [moved([p.leaf_offsets[:-1] for p in parts], entries, leaves), entries[-1:]],
        "bases": nothing,
        "strides": nothing,
        "offsets": [np.concatenate(weights)[moved([p.offsets for p in parts], read, entries)]],
        # The constants have no elements, so that the first node behind them starts where they do.
        "node_offsets": [no_elements, moved([p.node_offsets[2:-1] for p in parts], elements, nodes), elements[-1:]],
        "primes": [primes],
        "subs": [placed([p.subs for p in parts], elements)],
        "roots": [placed([p.roots[: len(p.given)] for p in parts], queries),
                  placed([p.roots[len(p.given) :] for p in parts], evidence)],
        "given": [moved([p.given - len(p.given) for p in parts], queries[-1] + evidence, queries)],
    }  # fmt: skip
    packed = pack([pieces[name] for name in PlanArrays._fields])
    return Plan((), packed, max(p.choices for p in plans), any(p.conditioned for p in plans))
