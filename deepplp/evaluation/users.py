"""A circuit seen from below, for derivatives: what uses each node, leaf and batched weight."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deepplp.circuit import IntArray, Plan
from deepplp.evaluation.kernels.cpu import grouped

__all__ = ["Users", "users_of"]


class Users(NamedTuple):
    """Where a plan's nodes, leaves and batched weights are used.

    Node n is the sub of the products ``sub_offsets[n]:sub_offsets[n + 1]``, which belong to the nodes ``sub_parents``
    and have the primes ``sub_primes``; of leaves the same is told by ``prime_offsets``, ``prime_parents`` and
    ``prime_subs``. Node n is the root at the places ``root_places[root_offsets[n]:root_offsets[n + 1]]``. Weight w of a
    row is read by the leaves ``weight_leaves[weight_offsets[w]:weight_offsets[w + 1]]``; ``widths`` are the plan's.
    """

    sub_offsets: IntArray
    sub_parents: IntArray
    sub_primes: IntArray
    prime_offsets: IntArray
    prime_parents: IntArray
    prime_subs: IntArray
    root_offsets: IntArray
    root_places: IntArray
    weight_offsets: IntArray
    weight_leaves: IntArray
    widths: IntArray


def users_of(plan: Plan) -> Users:
    """The plan's users, found once."""
    return plan.keep("users", lambda: _users(plan))


def _users(plan: Plan) -> Users:
    parents = np.repeat(np.arange(plan.nodes), np.diff(plan.node_offsets))
    sub_offsets, by_sub = grouped(plan.subs, plan.nodes)
    prime_offsets, by_prime = grouped(plan.primes, plan.leaves)
    root_offsets, root_places = grouped(plan.roots, plan.nodes)
    batched = plan.strides > 0
    leaves = np.repeat(np.arange(plan.leaves), np.diff(plan.leaf_offsets))[batched]
    weight_offsets, by_weight = grouped((plan.bases + plan.offsets)[batched], plan.width)
    return Users(
        sub_offsets, parents[by_sub], plan.primes[by_sub], prime_offsets, parents[by_prime], plan.subs[by_prime],
        root_offsets, root_places, weight_offsets, leaves[by_weight], np.array(plan.widths, dtype=np.int64),
    )  # fmt: skip
