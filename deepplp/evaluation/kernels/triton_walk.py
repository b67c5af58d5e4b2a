"""`TritonWalk`: what the Triton kernels are given, in which launches, and what becomes of what they return.

Rows are taken in chunks that fit a budget of memory. The kernels know float64 only: rows whose roots leave its range
are evaluated by the reference, with extended range, as the CPU kernel does by itself.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import FALSE_NODE, TRUE_NODE, IntArray, Plan, inversion_of, layers_of
from deepplp.evaluation.kernels.reference import reference_gradients, reference_roots, to_device
from deepplp.evaluation.readings import MAY_UNDERFLOW, TINY, Kind, Roots, check_chosen, read, seeds_of

__all__ = ["Kernels", "TritonWalk"]

# Chosen by reasoning, where no GPU was at hand to measure on.
_LANES = 32  # rows that a program works on, at most: a warp
_TILE = 512  # lanes times sums that a program works on at once
_WARPS = 4  # so that a thread waits for the factors of several sums at once
_TILES_A_PROGRAM = 8  # beyond so many tiles a level is a launch of its own, with a program for each tile
_BUFFER_BYTES = 1 << 30  # for the tables of one chunk of rows, forward and backward

_MOST_BLOCKS = 65535  # of lanes, the second axis of a grid
# A pipeline of loads would read a level's table before its barrier.
_OPTIONS = {"num_warps": _WARPS, "num_stages": 1}


class Kernel(Protocol):
    """A kernel, which a grid of programs launches."""

    def __getitem__(self, grid: tuple[int, int], /) -> Callable[..., None]: ...


class Kernels(Protocol):
    """The kernels of ``kernels.triton``."""

    @property
    def sum_products(self) -> Kernel: ...
    @property
    def sum_weights(self) -> Kernel: ...
    @property
    def collect_gradients(self) -> Kernel: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Products:
    """Sums of products on a device, level by level, and how many a level has.

    Sum i is that of ``left[k] * right[k]`` for ``starts[i] <= k < starts[i + 1]``, where ``left`` and ``right`` are
    places of the factors, each in a table of its own.
    """

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
    bounds, layered = layers_of(plan)
    arrays, uses = layered.arrays, inversion_of(layered).arrays
    begins, ends = bounds[1:-1], bounds[2:]
    every = np.arange(len(arrays.offsets))

    def index(array: IntArray) -> Tensor:
        return to_device(array, device, torch.int32)

    def entries(starts: IntArray, items: IntArray, which: IntArray) -> _Entries:
        bases, strides, offsets = (index(a[which]) for a in (arrays.bases, arrays.strides, arrays.offsets))
        return _Entries(index(starts), index(items), bases, strides, offsets, len(starts) - 1)

    def products(name: str, sums: Sequence[IntArray], begins: IntArray, ends: IntArray) -> _Products:
        starts, left, right = map(index, sums)
        return _Products(name, index(begins), index(ends), starts, left, right, tuple((ends - begins).tolist()))

    of_nodes = (uses.node_offsets, uses.node_parents, uses.node_cofactors)
    of_leaves = (uses.leaf_offsets, uses.leaf_parents, uses.leaf_subs)
    return _Indices(
        entries(arrays.leaf_offsets, every[:0], every),
        products("values", (arrays.node_offsets, arrays.primes, arrays.subs), begins, ends),
        products("adjoints", of_nodes, begins[::-1], ends[::-1]),
        products("leaves", of_leaves, np.array([0]), np.array([plan.leaves])),
        entries(uses.weight_offsets, uses.weight_leaves, uses.weights),
        to_device(plan.leaves + arrays.roots, device),
        to_device(arrays.roots != FALSE_NODE, device, torch.bool),
        to_device(arrays.given, device),
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


class TritonWalk:
    """The roots of every row of a batch, computed at once; readings, and derivatives as often as they are asked for.

    Arguments as for `Evaluation`, and the ``kernels``. ``keep`` says that derivatives will be asked for. The work is
    cut into chunks of rows and tiles of nodes.
    """

    def __init__(self, plan: Plan, batched: Tensor, shared: Tensor, rows: int, kernels: Kernels, *, keep: bool) -> None:
        self.plan = plan
        self.rows = rows
        self._device = batched.device
        self._kernels = kernels
        with torch.inference_mode(False):  # they are kept, for training too
            self._indices = plan.keep(("triton", self._device), lambda p: _indices(p, self._device))
        self._lanes = min(_LANES, 1 << max(0, rows - 1).bit_length())
        self._nodes = _TILE // self._lanes
        a_row = 8 * 2 * (plan.leaves + plan.nodes + len(plan.arrays.roots))
        blocks = min(max(1, _BUFFER_BYTES // (a_row * self._lanes)), _MOST_BLOCKS)
        self._chunk = min(rows, blocks * self._lanes)
        self._values: Tensor | None = None  # of leaves and nodes, where one chunk is all
        with torch.no_grad():
            self._batched, self._shared = batched.detach().contiguous(), shared.detach().contiguous()
            self._roots = self._forward(keep)

    def _forward(self, keep: bool) -> Roots:
        """The roots; those of the rows that leave the range of float64 by the reference, with extended range."""
        roots = self._empty(self.rows, len(self.plan.arrays.roots))
        beyond = torch.zeros(self.rows, dtype=torch.bool, device=self._device)
        for first in range(0, self.rows, self._chunk or 1):
            values = self._evaluated(first)
            mine = slice(first, first + values.shape[1])
            roots[mine] = values[self._indices.roots].T
            beyond[mine] = self._beyond_range(roots[mine], values)
            if keep and values.shape[1] == self.rows:
                self._values = values
        self._beyond = beyond.nonzero().flatten()
        if not len(self._beyond):
            return Roots(roots, None, self._indices.given)
        found = reference_roots(self.plan, self._rows_beyond(), self._shared, len(self._beyond))
        exponents = torch.zeros_like(roots)
        roots[self._beyond] = found.mantissas.double()
        assert found.exponents is not None
        exponents[self._beyond] = found.exponents.double()
        return Roots(roots, exponents, self._indices.given)

    def read(self, kind: Kind, chosen: Tensor | None, dtype: torch.dtype) -> Tensor:
        """A reading (see `readings.read`); a chosen query that there is not is an IndexError."""
        if chosen is not None:
            check_chosen(chosen, self.plan.queries)
        return read(self._roots, kind, chosen).to(dtype)

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        return self._roots.impossible_rows()

    def derivatives(
        self, kind: Kind, chosen: Tensor | None, gradient: Tensor, by: tuple[bool, bool]
    ) -> tuple[Tensor | None, Tensor | None]:
        """The loss's derivatives by ``batched`` and ``shared``, flat, in float64, from its ``gradient`` by a reading.

        ``by`` says which of them are wanted, but both are computed.
        """
        plan, indices = self.plan, self._indices
        seeds = seeds_of(self._roots, kind, chosen, gradient.double())
        by_batched = torch.zeros(self._batched.numel(), dtype=torch.float64, device=self._device)
        blocks = -(-self.rows // self._lanes)
        by_shared = torch.zeros(blocks, len(self._shared), dtype=torch.float64, device=self._device)
        plain = seeds.index_fill(0, self._beyond, 0.0) if len(self._beyond) else seeds
        for first in range(0, self.rows, self._chunk or 1):
            values = self._evaluated(first) if self._values is None else self._values
            count = values.shape[1]
            adjoints = self._empty(plan.nodes + len(plan.arrays.roots), count)
            adjoints[plan.nodes :] = plain[first : first + count].T
            self._products(indices.adjoints, adjoints, values, adjoints)
            by_leaves = self._empty(plan.leaves, count)
            self._products(indices.leaf_adjoints, adjoints, values[plan.leaves :], by_leaves)
            w = indices.weights
            self._launch(
                self._kernels.collect_gradients, count, w.count, w.starts, w.items, w.bases, w.strides, w.offsets,
                by_leaves, by_batched, by_shared, w.count, len(self._shared), self.rows, first, count,
            )  # fmt: skip
        total = by_shared.sum(dim=0)
        if len(self._beyond):
            total = total + self._add_beyond(kind, chosen, gradient, by_batched)
        return by_batched, total

    def _evaluated(self, first: int) -> Tensor:
        """The values [leaves + nodes, count] of the chunk that starts at a row."""
        plan, indices = self.plan, self._indices
        count = min(self._chunk, self.rows - first)
        values = self._empty(plan.leaves + plan.nodes, count)
        e = indices.leaves
        self._launch(
            self._kernels.sum_weights, count, e.count, e.starts, e.bases, e.strides, e.offsets, self._batched,
            self._shared, values, e.count, self.rows, first, count,
        )  # fmt: skip
        nodes = values[plan.leaves :]
        nodes[FALSE_NODE] = 0.0
        nodes[TRUE_NODE] = 1.0
        self._products(indices.values, values, nodes, nodes)
        return values

    def _products(self, sums: _Products, left: Tensor, right: Tensor, out: Tensor) -> None:
        count = out.shape[1]
        nodes = self._nodes
        for first, last, programs in self.plan.keep((sums.name, nodes), lambda _: launches(sums.widths, nodes)):
            self._launch(
                self._kernels.sum_products, count, programs * nodes, sums.begins, sums.ends, sums.starts,
                sums.left, sums.right, left, right, out, count, first, last,
            )  # fmt: skip

    def _launch(self, kernel: Kernel, count: int, sums: int, *arguments: Tensor | int) -> None:
        """Launch a kernel for a chunk of rows and so many sums side by side."""
        grid = (-(-sums // self._nodes), -(-count // self._lanes))
        if not all(grid):
            return
        with torch.cuda.device(self._device) if self._device.type == "cuda" else contextlib.nullcontext():
            kernel[grid](*arguments, lanes=self._lanes, nodes=self._nodes, **_OPTIONS)

    def _beyond_range(self, roots: Tensor, values: Tensor) -> Tensor:
        """Which rows [count] have a root below `TINY` that float64 may not have held."""
        leaves = values[: self.plan.leaves + TRUE_NODE + 1]  # with the constants there is always one to look at
        varies = self._indices.varies
        small = ((roots < TINY) & (roots != 0) & varies).any(dim=1)
        zero = ((roots == 0) & varies).any(dim=1)
        smallest = leaves.masked_fill(leaves <= 0, 1.0).amin(dim=0)
        return small | (zero & (self.plan.choices * smallest.log2() < MAY_UNDERFLOW))

    def _add_beyond(self, kind: Kind, chosen: Tensor | None, gradient: Tensor, by_batched: Tensor) -> Tensor:
        """Write the derivatives of the rows that the reference evaluates; what they add to the shared weights'."""
        rows, count = self._beyond, len(self._beyond)
        mine, common = self._rows_beyond().requires_grad_(), self._shared.detach().requires_grad_()
        picked = None if chosen is None else chosen[rows]
        found = reference_gradients(
            self.plan, mine, common, count, kind, picked, gradient[rows].double(), create_graph=False
        )
        assert found[0] is not None
        assert found[1] is not None
        chosen_blocks = self._blocks(found[0], count)
        for block, right in zip(self._blocks(by_batched, self.rows), chosen_blocks, strict=True):
            block[rows] = right.double()
        return found[1].double()

    def _rows_beyond(self) -> Tensor:
        """The weights of the rows that the reference evaluates, laid as the plan lays all rows'."""
        batched = self._batched.reshape(-1)
        picked = [block[self._beyond].reshape(-1) for block in self._blocks(batched, self.rows)]
        return torch.cat(picked) if picked else batched[:0].clone()

    def _blocks(self, weights: Tensor, rows: int) -> list[Tensor]:
        """The blocks [rows, width] of flat weights."""
        ends = itertools.accumulate(self.plan.widths)
        return [weights[rows * (e - w) : rows * e].view(rows, w) for e, w in zip(ends, self.plan.widths, strict=True)]

    def _empty(self, *shape: int) -> Tensor:
        return torch.empty(shape, dtype=torch.float64, device=self._device)
