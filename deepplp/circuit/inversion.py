"""A bound circuit seen from below, for derivatives: what uses each node, each leaf and each weight."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deepplp.circuit.circuit import IntArray
from deepplp.circuit.indices import grouped
from deepplp.circuit.packing import pack, unpack
from deepplp.circuit.plan import Plan

__all__ = ["Inversion", "PackedInversion", "inversion_of"]


class Inversion(NamedTuple):
    """The uses of a plan's nodes, leaves and weights, so that each derivative is one sum, in one order.

    The derivative by node n is the sum of adjoint ``node_parents[k]`` times leaf ``node_primes[k]`` over k from
    ``node_offsets[n]`` to ``node_offsets[n + 1] - 1``, and that by leaf i the sum of adjoint ``leaf_parents[k]`` times
    node ``leaf_subs[k]``, with ``leaf_offsets``. Adjoints are the derivatives by the nodes and, behind them, by the
    roots: that by root r is adjoint ``nodes + r``, and takes part in its node's sum times leaf ``leaves``, which is 1.

    ``weights`` [weights read] lists each weight that some leaf reads once, as the first of the plan's entries that
    read it: those of a row first, in order, then the shared ones. The derivative by weight i of the list is the sum of
    those by the leaves ``weight_leaves[weight_offsets[i] : weight_offsets[i + 1]]``.
    """

    node_offsets: IntArray
    node_parents: IntArray
    node_primes: IntArray
    leaf_offsets: IntArray
    leaf_parents: IntArray
    leaf_subs: IntArray
    weights: IntArray
    weight_offsets: IntArray
    weight_leaves: IntArray


class PackedInversion(NamedTuple):
    """An inversion, and its arrays as one (see `pack`)."""

    packed: IntArray
    arrays: Inversion


def inversion_of(plan: Plan) -> PackedInversion:
    """The plan's inversion, made once."""
    return plan.keep("inversion", _inverted)


def _inverted(plan: Plan) -> PackedInversion:
    arrays, roots = plan.arrays, len(plan.arrays.roots)
    parents = np.repeat(np.arange(plan.nodes), np.diff(arrays.node_offsets))
    by_roots = np.arange(plan.nodes, plan.nodes + roots)
    node_offsets, by_sub = grouped(np.concatenate([arrays.subs, arrays.roots]), plan.nodes)
    leaf_offsets, by_prime = grouped(arrays.primes, plan.leaves)
    # Weights by number: those of a row first, counted through all blocks, then the shared ones.
    number = np.where(arrays.strides > 0, arrays.bases, plan.width) + arrays.offsets
    offsets, by_weight = grouped(number, int(number.max(initial=-1)) + 1)
    read = np.flatnonzero(np.diff(offsets))
    leaves = np.repeat(np.arange(plan.leaves), np.diff(arrays.leaf_offsets))
    packed = pack([
        [node_offsets],
        [np.concatenate([parents, by_roots])[by_sub]],
        [np.concatenate([arrays.primes, np.full(roots, plan.leaves)])[by_sub]],
        [leaf_offsets],
        [parents[by_prime]],
        [arrays.subs[by_prime]],
        [by_weight[offsets[read]]],
        [offsets[read], offsets[-1:]],
        [leaves[by_weight]],
    ])  # fmt: skip
    return PackedInversion(packed, Inversion(*unpack(packed, len(Inversion._fields))))
