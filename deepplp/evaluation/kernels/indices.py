# mypy: allow-untyped-defs
"""Index arrays made of index arrays, one step an entry, as numpy cannot."""

from __future__ import annotations

import numpy as np

from deepplp.evaluation.kernels.compiled import compiled

__all__ = ["grouped", "node_levels"]


@compiled
def node_levels(node_offsets, subs):
    """The level of every node: that of the constants is 0, of any other one more than the highest that it uses."""
    levels = np.zeros(len(node_offsets) - 1, np.int64)
    for n in range(2, len(levels)):
        highest = 0
        for e in range(node_offsets[n], node_offsets[n + 1]):
            highest = max(highest, levels[subs[e]])
        levels[n] = highest + 1
    return levels


@compiled
def grouped(keys, count):
    """The places of every key from 0 to ``count - 1``: ``order[offsets[i]:offsets[i + 1]]`` are those of key i."""
    offsets = np.zeros(count + 1, np.int64)
    for place in range(len(keys)):
        offsets[keys[place] + 1] += 1
    for i in range(count):
        offsets[i + 1] += offsets[i]
    order = np.empty(len(keys), np.int64)
    free = offsets.copy()
    for place in range(len(keys)):
        order[free[keys[place]]] = place
        free[keys[place]] += 1
    return offsets, order
