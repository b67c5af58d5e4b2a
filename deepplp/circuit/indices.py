"""Index arrays made of index arrays."""

from __future__ import annotations

import numpy as np

from deepplp.circuit.circuit import IntArray

__all__ = ["grouped", "node_levels"]


def node_levels(node_offsets: IntArray, primes: IntArray, subs: IntArray, leaves: int) -> IntArray:
    """The level of every node: that of the constants is 0, of any other one more than the highest that it uses."""
    starts, below = node_offsets.tolist(), subs.tolist()
    if (primes >= leaves).any():
        below = np.column_stack([np.maximum(primes - leaves, 0), subs]).ravel().tolist()  # leaves are at level 0
        starts = (2 * node_offsets).tolist()
    levels = [0] * (len(starts) - 1)
    for node in range(2, len(levels)):
        levels[node] = 1 + max([levels[sub] for sub in below[starts[node] : starts[node + 1]]], default=0)
    return np.array(levels, dtype=np.int64)


def grouped(keys: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """The places of every key from 0 to ``count - 1``: ``order[offsets[i]:offsets[i + 1]]`` are those of key i.

    >>> grouped(np.array([2, 0, 2]), 3)
    (array([0, 1, 1, 3]), array([1, 0, 2]))
    """
    offsets = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=count), out=offsets[1:])
    if count <= 1 << 16:  # numpy sorts short numbers by their digits
        return offsets, np.argsort(keys.astype(np.uint16), kind="stable")
    order = keys * len(keys) + np.arange(len(keys))  # as fast as numpy sorts long ones, and no two are equal
    order.sort()
    return offsets, order % len(keys)
