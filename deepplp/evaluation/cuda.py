"""Circuits on a GPU: what the Triton kernels are given, in which launches, and what becomes of what they return.

Rows are taken in chunks that fit a budget of memory. The kernels know float64 only: rows whose roots leave its range
are evaluated by the reference, with extended range, as the CPU kernel does by itself.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import IntArray, Plan
from deepplp.evaluation.kernels.cpu import MAY_UNDERFLOW, TINY
from deepplp.evaluation.kernels.reference import reference_gradients, reference_results, sums_by, to_device
from deepplp.evaluation.layers import Sums, layers_of, uses_of

__all__ = ["cuda_results"]

# Chosen by reasoning, where no GPU was at hand to measure on.
_LANES = 32  # rows that a program works on, at most: a warp
_TILE = 512  # lanes times sums that a program works on at once
_WARPS = 4  # so that a thread waits for the factors of several sums at once
_TILES_A_PROGRAM = 8  # beyond so many tiles a level is a launch of its own, with a program for each tile
_BUFFER_BYTES = 1 << 30  # for the tables of one chunk of rows, forward and backward

_MOST_BLOCKS = 65535  # of lanes, the second axis of a grid
# A pipeline of loads would read a level's table before its barrier.
_OPTIONS = {"num_warps": _WARPS, "num_stages": 1}


def cuda_results(plan: Plan, batched: Tensor, shared: Tensor, rows: int, kernels: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Log-probabilities and probabilities [batch, query], and the evidence's log-probabilities [batch, evidence].

    What `reference_results` returns, from the fused ``kernels``. All in float64; see `Evaluation` for the arguments.
    """
    walk = _Walk(plan, rows, batched.device, kernels)
    results: tuple[Tensor, Tensor, Tensor] = _Results.apply(batched, shared, walk)
    return results


@dataclass(frozen=True, slots=True, eq=False)
class _Products:
    """`Sums` on a device, level by level, and how many a level has."""

    name: str
    begins: Tensor
    ends: Tensor
    starts: Tensor
    left: Tensor
    right: Tensor
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Weights on a device: where each stands, and the stretches into which ``starts`` cuts ``items`` or the weights."""

    starts: Tensor
    items: Tensor
    bases: Tensor
    strides: Tensor
    offsets: Tensor
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class _Indices:
    """A plan's index arrays on one device: 32 bits each for the kernels, 64 for torch."""

    leaves: _Entries
    values: _Products
    adjoints: _Products
    leaf_adjoints: _Products
    weights: _Entries
    roots: Tensor
    varies: Tensor
    given: Tensor


def _indices(plan: Plan, device: torch.device) -> _Indices:
    layers, uses = layers_of(plan), uses_of(plan)
    bounds = layers.bounds
    begins, ends = bounds[1:-1], bounds[2:]
    every = np.arange(len(plan.offsets))

    def index(array: IntArray) -> Tensor:
        return to_device(array, device, torch.int32)

    def entries(starts: IntArray, items: IntArray, which: IntArray) -> _Entries:
        bases, strides, offsets = (index(a[which]) for a in (plan.bases, plan.strides, plan.offsets))
        return _Entries(index(starts), index(items), bases, strides, offsets, len(starts) - 1)

    def products(name: str, sums: Sums, begins: IntArray, ends: IntArray) -> _Products:
        starts, left, right = index(sums.starts), index(sums.left), index(sums.right)
        return _Products(name, index(begins), index(ends), starts, left, right, tuple((ends - begins).tolist()))

    return _Indices(
        entries(plan.leaf_offsets, every[:0], every),
        products("values", layers.values, begins, ends),
        products("adjoints", uses.adjoints, begins[::-1], ends[::-1]),
        products("leaves", uses.leaves, np.array([0]), np.array([plan.leaves])),
        entries(uses.reader_starts, uses.readers, uses.weights),
        to_device(layers.roots, device),
        to_device(layers.roots != 0, device, torch.bool),
        to_device(plan.given, device),
    )


def launches(widths: Sequence[int], nodes: int) -> list[tuple[int, int, int]]:
    """Launches (first level, last level + 1, programs) for levels of these widths, ``nodes`` to a tile.

    A wide level is a launch of its own, its tiles shared out among programs; narrow levels that follow one another are
    one launch of one program, which walks them all. Empty levels have nothing to do.
    """
    made: list[tuple[int, int, int]] = []
    for level, width in enumerate(widths):
        tiles = -(-width // nodes)
        if tiles > _TILES_A_PROGRAM:
            made.append((level, level + 1, tiles))
        elif made and made[-1][1:] == (level, 1):
            made[-1] = (made[-1][0], level + 1, 1)
        elif width:
            made.append((level, level + 1, 1))
    return made


class _Walk:
    """One evaluation: how it is cut into chunks and tiles, and what forward leaves for backward."""

    def __init__(self, plan: Plan, rows: int, device: torch.device, kernels: Any) -> None:
        self.plan = plan
        self.rows = rows
        self.device = device
        self._kernels = kernels
        self._indices = plan.keep(("cuda", device), lambda: _indices(plan, device))
        self._lanes = min(_LANES, 1 << max(0, rows - 1).bit_length())
        self._nodes = _TILE // self._lanes
        a_row = 8 * 2 * (plan.leaves + 1 + plan.nodes + len(plan.roots))
        blocks = min(max(1, _BUFFER_BYTES // (a_row * self._lanes)), _MOST_BLOCKS)
        self._chunk = min(rows, blocks * self._lanes)
        self._tables: tuple[Tensor, Tensor] | None = None  # leaves and values, where one chunk is all

    def forward(self, batched: Tensor, shared: Tensor, keep: bool) -> tuple[Tensor, Tensor, Tensor]:
        """The three results."""
        plan, indices, n = self.plan, self._indices, self.plan.queries
        roots = self._empty(self.rows, len(plan.roots))
        beyond = torch.zeros(self.rows, dtype=torch.bool, device=self.device)
        for first in range(0, self.rows, self._chunk or 1):
            leaves, values = self._evaluated(batched, shared, first)
            mine = slice(first, first + values.shape[1])
            roots[mine] = values[indices.roots].T
            beyond[mine] = self._beyond_range(roots[mine], leaves)
            if keep and values.shape[1] == self.rows:
                self._tables = leaves, values
        mantissas, given = roots[:, :n], roots[:, indices.given]
        impossible = given <= 0
        probs = (mantissas / given).masked_fill(impossible, math.nan)
        # Less than 0 where rounding took a weight there: as good as 0.
        log_probs = probs.masked_fill(mantissas <= 0, 0.0).log().masked_fill(impossible, math.nan)
        log_evidence = roots[:, n:].clamp_min(0.0).log()
        self._roots, self._beyond = roots, beyond.nonzero().flatten()
        results = log_probs, probs, log_evidence
        if len(self._beyond):
            found = reference_results(plan, self._rows_beyond(batched), shared, len(self._beyond))
            for result, right in zip(results, found, strict=True):
                result[self._beyond] = right
        return results

    def backward(self, batched: Tensor, shared: Tensor, gradients: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
        """The loss's derivatives by the weights, in float64, from those by the three results."""
        plan, indices = self.plan, self._indices
        by_batched = torch.zeros(batched.numel(), dtype=torch.float64, device=self.device)
        blocks = -(-self.rows // self._lanes)
        by_shared = torch.zeros(blocks, len(shared), dtype=torch.float64, device=self.device)
        seeds = self._seeds(gradients)
        for first in range(0, self.rows, self._chunk or 1):
            leaves, values = self._tables or self._evaluated(batched, shared, first)
            count = values.shape[1]
            adjoints = self._empty(plan.nodes + len(plan.roots), count)
            adjoints[plan.nodes :] = seeds[first : first + count].T
            self._products(indices.adjoints, adjoints, leaves, adjoints)
            by_leaves = self._empty(plan.leaves, count)
            self._products(indices.leaf_adjoints, adjoints, values, by_leaves)
            w = indices.weights
            self._launch(
                self._kernels.collect_gradients, count, w.count, w.starts, w.items, w.bases, w.strides, w.offsets,
                by_leaves, by_batched, by_shared, w.count, len(shared), self.rows, first, count,
            )  # fmt: skip
        total = by_shared.sum(dim=0)
        if len(self._beyond):
            total = total + self._add_beyond(batched, shared, gradients, by_batched)
        return by_batched, total

    def _evaluated(self, batched: Tensor, shared: Tensor, first: int) -> tuple[Tensor, Tensor]:
        """The tables of the chunk that starts at a row: leaves, with 1 behind them, and values."""
        plan, indices = self.plan, self._indices
        count = min(self._chunk, self.rows - first)
        leaves = self._empty(plan.leaves + 1, count)
        leaves[plan.leaves] = 1.0
        e = indices.leaves
        self._launch(
            self._kernels.sum_weights, count, e.count, e.starts, e.bases, e.strides, e.offsets, batched, shared, leaves,
            e.count, self.rows, first, count,
        )  # fmt: skip
        values = self._empty(plan.nodes, count)
        values[0] = 0.0
        values[1] = 1.0
        self._products(indices.values, leaves, values, values)
        return leaves, values

    def _products(self, sums: _Products, left: Tensor, right: Tensor, out: Tensor) -> None:
        count = out.shape[1]
        nodes = self._nodes
        for first, last, programs in self.plan.keep((sums.name, nodes), lambda: launches(sums.widths, nodes)):
            self._launch(
                self._kernels.sum_products, count, programs * nodes, sums.begins, sums.ends, sums.starts,
                sums.left, sums.right, left, right, out, count, first, last,
            )  # fmt: skip

    def _launch(self, kernel: Any, count: int, sums: int, *arguments: Any) -> None:
        """Launch a kernel for a chunk of rows and so many sums side by side."""
        grid = (-(-sums // self._nodes), -(-count // self._lanes))
        if not all(grid):
            return
        with torch.cuda.device(self.device) if self.device.type == "cuda" else contextlib.nullcontext():
            kernel[grid](*arguments, lanes=self._lanes, nodes=self._nodes, **_OPTIONS)

    def _beyond_range(self, roots: Tensor, leaves: Tensor) -> Tensor:
        """Which rows [count] have a root below `TINY` that float64 may not have held."""
        varies = self._indices.varies
        small = ((roots < TINY) & (roots != 0) & varies).any(dim=1)
        zero = ((roots == 0) & varies).any(dim=1)
        smallest = leaves.masked_fill(leaves <= 0, 1.0).amin(dim=0)
        return small | (zero & (self.plan.choices * smallest.log2() < MAY_UNDERFLOW))

    def _seeds(self, gradients: Sequence[Tensor | None]) -> Tensor:
        """The loss's derivative [batch, root] by every root, 0 for rows that the reference evaluates.

        With P(q|e) = r / s for the roots r and s of query and evidence, a gradient g of P(q|e) and h of log P(q|e) give
        dr = g / s + h / r and ds = (k - sum over q of (g * P(q|e) + h)) / s, where k is the gradient of log s. A zero r
        takes no part in h.
        """
        by_log, by_prob, by_evidence = gradients
        n, given = self.plan.queries, self._indices.given
        roots, of_given = self._roots[:, :n], self._roots[:, given]
        by_roots = torch.zeros_like(roots)
        by_given = torch.zeros_like(roots)
        if by_prob is not None:
            by_roots += by_prob / of_given
            by_given -= by_prob * (roots / of_given)
        if by_log is not None:
            taken = torch.where(roots > 0, by_log, 0.0)
            by_roots += taken / torch.where(roots > 0, roots, 1.0)
            by_given -= taken
        total = sums_by(by_given, given - n, self._roots.shape[1] - n)
        if by_evidence is not None:
            total = total + by_evidence
        seeds = torch.cat([by_roots, total / self._roots[:, n:]], dim=1)
        seeds[self._beyond] = 0.0
        return seeds

    def _add_beyond(
        self, batched: Tensor, shared: Tensor, gradients: Sequence[Tensor | None], by_batched: Tensor
    ) -> Tensor:
        """Write the derivatives of the rows that the reference evaluates; what they add to the shared weights'."""
        rows = self._beyond
        mine = self._rows_beyond(batched.detach()).requires_grad_()
        common = shared.detach().requires_grad_()
        chosen = [None if g is None else g[rows] for g in gradients]
        found = reference_gradients(self.plan, mine, common, len(rows), chosen, create_graph=False)
        assert found[0] is not None
        assert found[1] is not None
        chosen_blocks = self._blocks(found[0], len(rows))
        for block, right in zip(self._blocks(by_batched, self.rows), chosen_blocks, strict=True):
            block[rows] = right.double()
        return found[1].double()

    def _rows_beyond(self, batched: Tensor) -> Tensor:
        """The weights of the rows that the reference evaluates, laid as the plan lays all rows'."""
        picked = [block[self._beyond].reshape(-1) for block in self._blocks(batched.reshape(-1), self.rows)]
        return torch.cat(picked) if picked else batched.reshape(-1)[:0]

    def _blocks(self, weights: Tensor, rows: int) -> list[Tensor]:
        """The blocks [rows, width] of flat weights."""
        ends = itertools.accumulate(self.plan.widths)
        return [weights[rows * (e - w) : rows * e].view(rows, w) for e, w in zip(ends, self.plan.widths, strict=True)]

    def _empty(self, *shape: int) -> Tensor:
        return torch.empty(shape, dtype=torch.float64, device=self.device)


class _Results(torch.autograd.Function):
    """The results of an evaluation as an operation of autograd."""

    @staticmethod
    def forward(ctx: Any, batched: Tensor, shared: Tensor, walk: _Walk) -> tuple[Tensor, Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        ctx.walk = walk
        ctx.save_for_backward(batched, shared)
        return walk.forward(batched.contiguous(), shared.contiguous(), any(ctx.needs_input_grad))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        batched, shared = ctx.saved_tensors
        walk: _Walk = ctx.walk
        found: tuple[Tensor | None, Tensor | None]
        if torch.is_grad_enabled():  # create_graph=True: someone wants to differentiate this derivative
            found = reference_gradients(walk.plan, batched, shared, walk.rows, gradients, create_graph=True)
        else:
            found = walk.backward(batched.contiguous(), shared.contiguous(), gradients)
        shaped = (g.to(x.dtype).reshape(x.shape) if g is not None and needed else None
                  for g, x, needed in zip(found, (batched, shared), ctx.needs_input_grad, strict=False))  # fmt: skip
        return *shaped, None
