"""A plan's nodes level by level, for evaluations that take many nodes at once: the torch reference and Triton's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deepplp.circuit.circuit import IntArray
from deepplp.circuit.indices import node_levels
from deepplp.circuit.packing import pack, starts_of, stretches
from deepplp.circuit.plan import Plan

__all__ = ["Layers", "layers_of"]


class Layers(NamedTuple):
    """A plan whose nodes stand level by level: the elements of a node use nodes of lower levels only.

    Nodes ``bounds[i]`` to ``bounds[i + 1] - 1`` are level i. Level 0 is the constants, which stay nodes 0 and 1. In a
    level the nodes with the most elements come first, so that neighbours have about as many.
    """

    bounds: IntArray
    plan: Plan


def layers_of(plan: Plan) -> Layers:
    """The plan's layers, made once."""
    return plan.keep("layers", _layers)


def _layers(plan: Plan) -> Layers:
    arrays = plan.arrays
    level = node_levels(arrays.node_offsets, arrays.primes, arrays.subs, plan.leaves)
    sizes = np.diff(arrays.node_offsets)
    order = np.lexsort((-sizes, level))  # stable, and nothing but the constants is in level 0
    place = np.empty(plan.nodes, dtype=np.int64)
    place[order] = np.arange(plan.nodes)
    starts = starts_of(sizes[order])
    elements = stretches(arrays.node_offsets[order], sizes[order])
    factors = np.concatenate([np.arange(plan.leaves), plan.leaves + place])
    sorted_arrays = arrays._replace(
        node_offsets=starts,
        primes=factors[arrays.primes[elements]],
        subs=place[arrays.subs[elements]],
        roots=place[arrays.roots],
    )
    packed = pack([[a] for a in sorted_arrays])
    return Layers(starts_of(np.bincount(level)), Plan(plan.widths, packed, plan.choices, plan.conditioned))
