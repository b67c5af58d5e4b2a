"""A bound circuit seen from below, for derivatives: what uses each node, each leaf and each weight."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deepplp.circuit.circuit import TRUE_NODE, IntArray
from deepplp.circuit.indices import grouped
from deepplp.circuit.packing import pack, unpack
from deepplp.circuit.plan import Plan

__all__ = ["Inversion", "PackedInversion", "inversion_of"]


class Inversion(NamedTuple):
    """The uses of a plan's nodes, leaves and weights, so that each derivative is one sum, in one order.

    The derivative by node n is the sum of adjoint ``node_parents[k]`` times factor ``node_cofactors[k]`` over k from
    ``node_offsets[n]`` to ``node_offsets[n + 1] - 1``, and that by leaf i the sum of adjoint ``leaf_parents[k]`` times
    node ``leaf_subs[k]``, with ``leaf_offsets``. The cofactor of a node in an element is the element's other factor, in
    the joint numbering of leaves and nodes (see `Circuit`). Adjoints are the derivatives by the nodes and, behind them,
    by the roots: that by root r is adjoint ``nodes + r``, and its cofactor is the node true.

    ``weights`` [weights read] lists each weight that some leaf reads once, as the first of the plan's entries that
    read it: those of a row first, in order, then the shared ones. The derivative by weight i of the list is the sum of
    those by the leaves ``weight_leaves[weight_offsets[i] : weight_offsets[i + 1]]``.
    """

    node_offsets: IntArray
    node_parents: IntArray
    node_cofactors: IntArray
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
    primes, subs = arrays.primes, arrays.subs
    parents = np.repeat(np.arange(plan.nodes), np.diff(arrays.node_offsets))
    used = [subs, arrays.roots]
    users = [parents, np.arange(plan.nodes, plan.nodes + roots)]
    cofactors = [primes, np.full(roots, plan.leaves + TRUE_NODE)]
    leaf_primes, leaf_parents, leaf_subs = primes, parents, subs
    if plan.has_node_primes:
        is_leaf = primes < plan.leaves
        used.append(primes[~is_leaf] - plan.leaves)
        users.append(parents[~is_leaf])
        cofactors.append(plan.leaves + subs[~is_leaf])
        leaf_primes, leaf_parents, leaf_subs = primes[is_leaf], parents[is_leaf], subs[is_leaf]
    node_offsets, by_node = grouped(np.concatenate(used), plan.nodes)
    leaf_offsets, by_leaf = grouped(leaf_primes, plan.leaves)
    # Weights by number: those of a row first, counted through all blocks, then the shared ones.
    number = np.where(arrays.strides > 0, arrays.bases, plan.width) + arrays.offsets
    offsets, by_weight = grouped(number, int(number.max(initial=-1)) + 1)
    read = np.flatnonzero(np.diff(offsets))
    leaves = np.repeat(np.arange(plan.leaves), np.diff(arrays.leaf_offsets))
    packed = pack([
        [node_offsets],
        [np.concatenate(users)[by_node]],
        [np.concatenate(cofactors)[by_node]],
        [leaf_offsets],
        [leaf_parents[by_leaf]],
        [leaf_subs[by_leaf]],
        [by_weight[offsets[read]]],
        [offsets[read], offsets[-1:]],
        [leaves[by_weight]],
    ])  # fmt: skip
    return PackedInversion(packed, Inversion(*unpack(packed, len(Inversion._fields))))
