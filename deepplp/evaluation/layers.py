"""A plan's nodes level by level, for evaluations that take many nodes at once: the torch reference and Triton's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepplp.circuit import IntArray, Plan, starts_of
from deepplp.evaluation.kernels.cpu import grouped, node_levels

__all__ = ["Layers", "Sums", "Uses", "layers_of", "uses_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of products: sum i is that of ``left[k] * right[k]`` for ``starts[i] <= k < starts[i + 1]``.

    ``left`` and ``right`` are the places of the factors, each in a table of its own.
    """

    starts: IntArray
    left: IntArray
    right: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A plan's nodes in another order, their *slots*: a node's elements use slots of lower levels only.

    Slots ``bounds[i]`` to ``bounds[i + 1] - 1`` are level i. Level 0 is the constants, 0 and 1 in their slots 0 and 1.
    ``values`` says what a slot's value is a sum of: of leaves times slots. In a level the slots with the most elements
    come first, so that neighbours have about as many. ``roots`` are the plan's, as slots.
    """

    bounds: IntArray
    values: Sums
    roots: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Uses:
    """The same the other way round: what each derivative is a sum of. Nothing is added to a place by two.

    A slot's adjoint is a sum of ``adjoints``: adjoints times leaves, where adjoint ``nodes + r`` stands for the loss's
    derivative by root r, and leaf ``leaves`` for 1. A leaf's derivative is a sum of adjoints times slots (``leaves``).
    The derivative by weight w of those that the plan reads, whose entry in the plan is ``weights[w]``, is the sum of
    those of ``readers[k]``, leaves, for ``reader_starts[w] <= k < reader_starts[w + 1]``.
    """

    adjoints: Sums
    leaves: Sums
    weights: IntArray
    reader_starts: IntArray
    readers: IntArray


def layers_of(plan: Plan) -> Layers:
    """The plan's layers, made once."""
    return plan.keep("layers", lambda: _layers(plan))


def uses_of(plan: Plan) -> Uses:
    """The plan's uses, made once."""
    return plan.keep("uses", lambda: _uses(plan))


def _layers(plan: Plan) -> Layers:
    level = node_levels(plan.node_offsets, plan.subs)
    sizes = np.diff(plan.node_offsets)
    order = np.lexsort((-sizes, level))  # stable, and nothing but the constants is in level 0
    slots = np.empty(plan.nodes, dtype=np.int64)
    slots[order] = np.arange(plan.nodes)
    starts = starts_of(sizes[order])
    elements = np.repeat(plan.node_offsets[order] - starts[:-1], sizes[order]) + np.arange(starts[-1])
    bounds = starts_of(np.bincount(level))
    return Layers(bounds, Sums(starts, plan.primes[elements], slots[plan.subs[elements]]), slots[plan.roots])


def _uses(plan: Plan) -> Uses:
    layers = layers_of(plan)
    values, roots = layers.values, len(plan.roots)
    users = np.repeat(np.arange(plan.nodes), np.diff(values.starts))
    sub_starts, by_sub = grouped(np.concatenate([values.right, layers.roots]), plan.nodes)
    leaf_starts, by_leaf = grouped(values.left, plan.leaves)
    used_by = np.concatenate([users, plan.nodes + np.arange(roots)])
    times = np.concatenate([values.left, np.full(roots, plan.leaves)])
    # Weights by number: those of a row first, counted through all blocks, then the shared ones.
    number = np.where(plan.strides > 0, plan.bases + plan.offsets, plan.width + plan.offsets)
    _, weights, of_entry = np.unique(number, return_index=True, return_inverse=True)
    reader_starts, by_weight = grouped(of_entry.reshape(-1), len(weights))
    reader = np.repeat(np.arange(plan.leaves), np.diff(plan.leaf_offsets))
    return Uses(
        Sums(sub_starts, used_by[by_sub], times[by_sub]),
        Sums(leaf_starts, users[by_leaf], values.right[by_leaf]),
        weights,
        reader_starts,
        reader[by_weight],
    )
