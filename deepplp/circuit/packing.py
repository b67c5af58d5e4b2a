"""Several index arrays as one, so that a kernel takes them as one argument."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepplp.circuit.circuit import IntArray

__all__ = ["pack", "starts_of", "stretches", "unpack"]


def starts_of(sizes: Sequence[int] | IntArray) -> IntArray:
    """Where stretches of these sizes start, one behind another, and where the last one ends: [sizes + 1]."""
    starts = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


def stretches(firsts: IntArray, sizes: IntArray) -> IntArray:
    """The numbers from each of the firsts on, as many as its size says, one stretch behind another.

    >>> stretches(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    starts = starts_of(sizes)
    return np.repeat(firsts - starts[:-1], sizes) + np.arange(starts[-1])


def pack(arrays: Sequence[Sequence[IntArray]]) -> IntArray:
    """Arrays one behind another, each given as pieces that follow one another; in front stand their starts.

    Array i is ``packed[packed[i] : packed[i + 1]]``.

    >>> pack([[np.array([5, 6])], [np.array([7]), np.array([8])]]).tolist()
    [3, 5, 7, 5, 6, 7, 8]
    """
    starts = starts_of([sum(map(len, pieces)) for pieces in arrays]) + len(arrays) + 1
    return np.concatenate([starts, *(piece for pieces in arrays for piece in pieces)])


def unpack(packed: IntArray, count: int) -> list[IntArray]:
    """The ``count`` arrays as views."""
    starts = packed[: count + 1].tolist()
    return [packed[starts[i] : starts[i + 1]] for i in range(count)]
