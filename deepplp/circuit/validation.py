"""The checks of a circuit whose arrays come from outside: a kernel reads memory where their numbers point."""

from __future__ import annotations

import numpy as np

from deepplp.circuit.circuit import Circuit, IntArray

__all__ = ["check_circuit"]

_ARRAYS = ("column_offsets", "order", "leaf_offsets", "leaf_columns", "node_offsets", "primes", "subs", "roots")


def check_circuit(circuit: Circuit) -> None:
    """Check what the docstring of `Circuit` says of its arrays: types, shapes, ranges and order.

    That the elements of a node exclude each other is not checked, nor, where there is no order, that the factors of an
    element share no choice: it takes time, and no memory is read wrongly without.

    Raises:
        ValueError: an array is not as it must be; the message names it.
    """
    for name in _ARRAYS:
        array = getattr(circuit, name)
        if not isinstance(array, np.ndarray) or array.dtype != np.dtype(np.int64) or array.ndim != 1:
            raise ValueError(f"{name} is no vector of 64-bit integers")
    _check_offsets("column_offsets", circuit.column_offsets, circuit.column_offsets[-1:], empty=0)
    _check_offsets("leaf_offsets", circuit.leaf_offsets, len(circuit.leaf_columns), empty=0)
    _check_offsets("node_offsets", circuit.node_offsets, len(circuit.primes), empty=2)
    if len(circuit.primes) != len(circuit.subs):
        raise ValueError("primes and subs have different lengths")
    choices, nodes = len(circuit.column_offsets) - 1, circuit.nodes
    _check_range("leaf_columns", circuit.leaf_columns, circuit.columns)
    _check_range("primes", circuit.primes, circuit.leaves + nodes)
    _check_range("subs", circuit.subs, nodes)
    _check_range("roots", circuit.roots, nodes)
    _check_range("evidence", np.array([circuit.evidence], dtype=np.int64), nodes)
    _check_range("order", circuit.order, choices)
    if len(np.unique(circuit.order)) != len(circuit.order):
        raise ValueError("order holds a choice twice")
    _check_leaves(circuit)
    users = np.repeat(np.arange(nodes), np.diff(circuit.node_offsets))
    if (circuit.subs >= users).any() or (circuit.primes - circuit.leaves >= users).any():
        raise ValueError("a node stands before one that it uses")
    if len(circuit.order):
        _check_decisions(circuit, users)


def _check_offsets(name: str, offsets: IntArray, end: int | IntArray, *, empty: int) -> None:
    """Offsets start at 0, end at ``end`` and grow; only the first ``empty`` stretches, if any, are empty."""
    if len(offsets) <= empty or offsets[: empty + 1].any() or offsets[-1] != end:
        raise ValueError(f"{name} do not start at 0 or do not end where they must")
    if (offsets[empty + 1 :] <= offsets[empty:-1]).any():
        raise ValueError(f"{name} do not grow")


def _check_range(name: str, numbers: IntArray, count: int) -> None:
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= count):
        raise ValueError(f"{name} are out of range")


def _owners(circuit: Circuit) -> IntArray:
    """The choice of each entry of the leaves."""
    return np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right") - 1


def _check_leaves(circuit: Circuit) -> None:
    """A leaf belongs to one choice."""
    owners = _owners(circuit)
    if (np.repeat(owners[circuit.leaf_offsets[:-1]], np.diff(circuit.leaf_offsets)) != owners).any():
        raise ValueError("a leaf holds values of two choices")


def _check_decisions(circuit: Circuit, users: IntArray) -> None:
    """A node decides one choice, and uses nodes that decide choices later in the order."""
    if (circuit.primes >= circuit.leaves).any():
        raise ValueError("primes hold a node, though the choices have an order")
    decided = circuit.node_choices
    if (_owners(circuit)[circuit.leaf_offsets[circuit.primes]] != decided[users]).any():
        raise ValueError("a node decides two choices")
    ranks = np.full(len(circuit.column_offsets), -1, dtype=np.int64)  # the last entry is that of the constants
    ranks[circuit.order] = np.arange(len(circuit.order))
    ranks[-1] = len(circuit.order)
    if (ranks[decided[2:]] < 0).any() or (ranks[decided[circuit.subs]] <= ranks[decided[users]]).any():
        raise ValueError("nodes do not keep to the order of the choices")
