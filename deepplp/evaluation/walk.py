"""`Walk`: the CPU kernel's way up a circuit, what is read at the top, and the way back down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import Plan
from deepplp.evaluation.kernels.cpu import LANES, backward_blocks, forward_blocks
from deepplp.evaluation.readings import (
    read_evidence,
    read_queries,
    read_selected,
    seed_evidence,
    seed_queries,
    seed_selected,
)
from deepplp.evaluation.threads import available_cpus, for_ranges
from deepplp.evaluation.users import users_of

__all__ = ["Kind", "Walk", "as_array"]

_KEEP_VALUES_BYTES = 64 << 20  # what forward may keep for backward; beyond it backward computes the values again
_WORK_PER_THREAD = 10_000  # elements times blocks, below which a second thread costs more than it saves

Kind = Literal["log_probs", "probs", "selected", "log_evidence"]
Array = np.ndarray[Any, Any]


class Walk:
    """The roots of every row of a batch, computed at once; readings, and derivatives as often as they are asked for.

    Arguments as for `Evaluation`. ``keep`` says that derivatives will be asked for.
    """

    def __init__(self, plan: Plan, batched: Tensor, shared: Tensor, rows: int, *, keep: bool) -> None:
        self.plan = plan
        self.rows = rows
        self._batched = as_array(batched).reshape(-1)
        self._shared = as_array(shared if shared.dtype is torch.float64 else shared.double())
        self._blocks = -(-rows // LANES)
        self._lanes = min(rows, LANES)
        size = self._blocks * (plan.nodes + plan.leaves) * self._lanes * 8
        self._kept = self._room(self._blocks) if keep and size <= _KEEP_VALUES_BYTES else None
        self._mantissas = np.empty((rows, len(plan.roots)))
        self._exponents = np.empty((rows, len(plan.roots) + 1), dtype=np.int64)

        def forward(first: int, last: int, leaves: Array, values: Array) -> None:
            forward_blocks(
                plan.leaf_offsets, plan.bases, plan.strides, plan.offsets, plan.node_offsets, plan.primes, plan.subs,
                plan.roots, plan.choices, self._batched, rows, self._shared, first, last, leaves, values,
                self._mantissas, self._exponents,
            )  # fmt: skip

        self._for_blocks(forward)

    def _room(self, blocks: int) -> tuple[Array, Array]:
        """Room for the values of the leaves and the nodes of some blocks."""
        return np.empty((blocks, self.plan.leaves, self._lanes)), np.empty((blocks, self.plan.nodes, self._lanes))

    def _for_blocks(self, work: Callable[[int, int, Array, Array], None]) -> None:
        """Do some work for all blocks, on the values that are kept or with room for one block's in each share."""

        def share(first: int, last: int) -> None:
            work(first, last, *(self._kept or self._room(1)))

        for_ranges(share, self._blocks, _threads(self.plan, self._blocks))

    def read(self, kind: Kind, indices: Array | None, dtype: torch.dtype) -> Tensor:
        """A result; ``indices`` [batch] are the queries that are "selected", and one out of range is an IndexError."""
        plan, mantissas, exponents = self.plan, self._mantissas, self._exponents
        columns = len(plan.roots) - plan.queries if kind == "log_evidence" else plan.queries
        shape = (self.rows,) if kind == "selected" else (self.rows, columns)
        out = np.empty(shape, dtype=np.float32 if dtype is torch.float32 else np.float64)
        if kind == "selected":
            wrong = read_selected(indices, plan.given, mantissas, exponents, out)
            if wrong >= 0:
                raise IndexError(int(indices[wrong]))  # type: ignore[index]
        elif kind == "log_evidence":
            read_evidence(plan.queries, mantissas, exponents, out)
        else:
            read_queries(kind == "log_probs", plan.given, mantissas, exponents, out)
        found = torch.from_numpy(out)
        return found if found.dtype is dtype else found.to(dtype)

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        return [int(i) for i in np.flatnonzero((self._mantissas[:, self.plan.queries :] <= 0.0).any(axis=1))]

    def derivatives(self, kind: Kind, indices: Array | None, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """The loss's derivatives by the weights, flat, from its ``gradient`` by a reading."""
        plan = self.plan
        users = users_of(plan)
        seeds, seed_exponents = self._seeds(kind, indices, as_array(gradient))
        by_batched = np.empty_like(self._batched)
        by_shared = np.zeros((self._blocks, len(self._shared)))

        def backward(first: int, last: int, leaves: Array, values: Array) -> None:
            backward_blocks(
                plan.leaf_offsets, plan.bases, plan.strides, plan.offsets, plan.node_offsets, plan.primes, plan.subs,
                plan.roots, *users, self._batched, self.rows, self._shared, first, last, leaves, values,
                self._kept is not None, self._exponents, seeds, seed_exponents, by_batched, by_shared,
            )  # fmt: skip

        self._for_blocks(backward)
        total = by_shared.sum(axis=0) if len(self._shared) else self._shared
        return torch.from_numpy(by_batched), torch.from_numpy(total)

    def _seeds(self, kind: Kind, indices: Array | None, gradient: Array) -> tuple[Array, Array]:
        """The loss's derivatives by the roots, as numbers and powers of two."""
        plan, mantissas, exponents = self.plan, self._mantissas, self._exponents
        seeds, powers = np.empty(mantissas.shape), np.empty(mantissas.shape, dtype=np.int64)
        if kind == "selected":
            seed_selected(gradient, indices, plan.given, mantissas, exponents, seeds, powers)
        elif kind == "log_evidence":
            seed_evidence(gradient, mantissas, exponents, seeds, powers)
        else:
            seed_queries(gradient, kind == "log_probs", plan.given, mantissas, exponents, seeds, powers)
        return seeds, powers


def as_array(tensor: Tensor) -> Array:
    """A tensor's numbers, contiguous, in a format that the kernels read; not copied where they are so already."""
    numbers = tensor if tensor.dtype is torch.float32 or tensor.dtype is torch.float64 else tensor.float()
    array: Array = (numbers.detach() if numbers.requires_grad else numbers).numpy()
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def _threads(plan: Plan, blocks: int) -> int:
    work = blocks * (len(plan.primes) + plan.nodes)
    if work < 2 * _WORK_PER_THREAD:
        return 1
    return max(1, min(available_cpus(), torch.get_num_threads(), work // _WORK_PER_THREAD))
