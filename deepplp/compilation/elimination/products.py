"""Nodes of a circuit in the making: sums of products of earlier ones, made many at once.

A node or a leaf is a *reference*: node n is n, and leaf i is ``-i - 1``. Node 0 is false and node 1 is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deepplp.circuit import TRUE_NODE, IntArray, starts_of, stretches
from deepplp.compilation.compile_budget import Meter

__all__ = ["Products", "Round"]

_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


class Round(NamedTuple):
    """Nodes that were made at once, from ``first`` on; they use nodes of earlier rounds only.

    Node ``first + i`` is the sum of ``left[e] * right[e]`` for the elements e from ``offsets[i]`` to
    ``offsets[i + 1] - 1``.
    """

    first: int
    offsets: IntArray
    left: IntArray
    right: IntArray


class Products:
    """The nodes made so far, round by round; ``meter`` counts their elements."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.count = 2
        self.rounds: list[Round] = []
        self.leaves: list[tuple[int, ...]] = []
        self._leaf_of: dict[tuple[int, ...], int] = {}

    def leaf(self, columns: Sequence[int]) -> int:
        """The leaf that sums up some columns of one choice."""
        key = tuple(columns)
        found = self._leaf_of.setdefault(key, len(self.leaves))
        if found == len(self.leaves):
            self.leaves.append(key)
        return -found - 1

    def markers(self, count: int) -> IntArray:
        """So many nodes without elements, which count as true; derivatives by them are asked for later."""
        nothing = np.empty(0, dtype=np.int64)
        return self._made(np.zeros(count + 1, dtype=np.int64), nothing, nothing)

    def product(self, left: IntArray, right: IntArray) -> IntArray:
        """The products of references, entry by entry."""
        found = np.where(left == TRUE_NODE, right, left)
        open_ones = np.flatnonzero((left != TRUE_NODE) & (right != TRUE_NODE))
        if len(open_ones):
            low = np.minimum(left[open_ones], right[open_ones])
            high = np.maximum(left[open_ones], right[open_ones])
            span = self.count + len(self.leaves) + 1
            keys, which = np.unique((low + span) * (2 * span) + (high + span), return_inverse=True)
            nodes = self._made(np.arange(len(keys) + 1), keys // (2 * span) - span, keys % (2 * span) - span)
            found[open_ones] = nodes[which]
        return found

    def sums(self, group: IntArray, groups: int, left: IntArray, right: IntArray) -> IntArray:
        """For each of so many groups, the sum of ``left[e] * right[e]`` over its elements, of which it has some."""
        order = np.lexsort((np.maximum(left, right), np.minimum(left, right), group))
        left, right, sizes = left[order], right[order], np.bincount(group, minlength=groups)
        offsets = starts_of(sizes)
        found = np.empty(groups, dtype=np.int64)
        single = sizes == 1
        if single.any():
            places = offsets[:-1][single]
            found[single] = self.product(left[places], right[places])
        several = np.flatnonzero(~single)
        if len(several):
            kept = np.repeat(~single, sizes)
            found[several] = self._distinct(starts_of(sizes[several]), left[kept], right[kept])
        return found

    def _distinct(self, offsets: IntArray, left: IntArray, right: IntArray) -> IntArray:
        """Nodes with these elements, nodes with the same elements made once."""
        low, high = np.minimum(left, right), np.maximum(left, right)
        sizes = np.diff(offsets)
        with np.errstate(over="ignore"):
            mixed = [_mixed(low, high, m) for m in _MIX]
            codes = np.stack([np.add.reduceat(m, offsets[:-1]) for m in mixed] + [sizes.astype(np.uint64)], axis=1)
        _, first, which = np.unique(codes, axis=0, return_index=True, return_inverse=True)
        which = which.reshape(-1)
        place = stretches(offsets[first[which]], sizes)
        if not (np.array_equal(low[place], low) and np.array_equal(high[place], high)):  # equal codes by accident
            first = which = np.arange(len(sizes))
        elements = stretches(offsets[first], sizes[first])
        return self._made(starts_of(sizes[first]), low[elements], high[elements])[which]

    def _made(self, offsets: IntArray, left: IntArray, right: IntArray) -> IntArray:
        first, count = self.count, len(offsets) - 1
        self.rounds.append(Round(first, offsets.astype(np.int64), left, right))
        self.count += count
        self.meter.spend(len(left), self.count)
        return np.arange(first, first + count, dtype=np.int64)


def _mixed(low: IntArray, high: IntArray, by: np.uint64) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A number for each pair, as good as random."""
    code = low.astype(np.uint64) * by + high.astype(np.uint64)
    code ^= code >> np.uint64(29)
    code *= np.uint64(0xBF58476D1CE4E5B9) ^ by
    code ^= code >> np.uint64(32)
    return code
