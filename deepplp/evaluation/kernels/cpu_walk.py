"""`CpuWalk`: the CPU kernel's way up a circuit, what is read at the top, and the way back down."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepplp.circuit import Plan, inversion_of
from deepplp.evaluation.kernels.cpu import LANES, backward_blocks, forward_blocks, read_roots
from deepplp.evaluation.kernels.threads import available_cpus, for_ranges
from deepplp.evaluation.readings import Kind

__all__ = ["CpuWalk", "as_array"]

_KEEP_VALUES_BYTES = 64 << 20  # what forward may keep for backward; beyond it backward computes the values again
_WORK_PER_CALL = 10_000_000  # elements times blocks in one call, within which nothing ends it: some tenths of a second
_WORK_PER_THREAD = 10_000  # elements times blocks, below which a second thread costs more than it saves


class _Sizes(NamedTuple):
    """What a walk asks of its plan, counted once."""

    values: int  # the leaves and the nodes
    queries: int
    roots: int
    work: int  # of one block
    reads_all: bool  # of a row's weights


def _sizes(plan: Plan) -> _Sizes:
    arrays = plan.arrays
    batched = arrays.strides > 0
    return _Sizes(
        values=plan.leaves + plan.nodes,
        queries=plan.queries,
        roots=len(arrays.roots),
        work=len(arrays.primes) + plan.nodes,
        reads_all=len(np.unique((arrays.bases + arrays.offsets)[batched])) == plan.width,
    )


class CpuWalk:
    """The roots of every row of a batch, computed at once; readings, and derivatives as often as they are asked for.

    Arguments as for `Evaluation`. ``keep`` says that derivatives will be asked for.
    """

    def __init__(self, plan: Plan, batched: Tensor, shared: Tensor, rows: int, *, keep: bool) -> None:
        self.plan = plan
        self.rows = rows
        self._sizes = sizes = plan.keep("sizes", _sizes)
        if batched.dtype is not torch.float32 and batched.dtype is not torch.float64:
            batched = batched.detach().float()
        if shared.dtype is not torch.float64:
            shared = shared.detach().double()
        self._batched = batched if batched.is_contiguous() else batched.detach().contiguous()
        self._shared = shared if shared.is_contiguous() else shared.detach().contiguous()
        self._addresses = (self._batched.data_ptr(), self._batched.dtype is torch.float32, self._shared.data_ptr())
        self._blocks = -(-rows // LANES)
        self._lanes = min(rows, LANES)
        kept = keep and self._blocks * sizes.values * self._lanes * 8 <= _KEEP_VALUES_BYTES
        self._kept = self._room(self._blocks) if kept else None
        self._numbers = np.empty((2, rows, sizes.roots + 1))
        self._for_blocks(self._forward)

    def _room(self, blocks: int) -> NDArray[np.float64]:
        """Room for the values of the leaves and the nodes of some blocks."""
        return np.empty((blocks, self._sizes.values, self._lanes))

    def _zeros(self) -> Tensor:
        """A gradient of nothing. torch would write many zeros on several threads, and wait for the last of them."""
        made = np.zeros(
            tuple(self._batched.shape), dtype=np.float32 if self._batched.dtype is torch.float32 else np.float64
        )
        return torch.from_numpy(made)

    def _for_blocks(self, work: Callable[[int, int], None]) -> None:
        """Do some work for all blocks, on several threads if it is much."""
        total = self._blocks * self._sizes.work
        if total < 2 * _WORK_PER_THREAD:
            work(0, self._blocks)
        else:
            for_ranges(work, self._blocks, _threads(total), _WORK_PER_CALL // self._sizes.work)

    def _forward(self, first: int, last: int) -> None:
        room = self._room(1) if self._kept is None else self._kept
        forward_blocks(
            self.plan.packed, self.plan.choices, *self._addresses, self.rows, first, last, room, self._numbers
        )

    def _reading(self, kind: Kind, chosen: Tensor | None) -> tuple[bool, int, int, int]:
        """A reading as the kernel understands it (see `cpu.Reading`)."""
        if chosen is not None:
            return True, 0, 1, chosen.data_ptr()
        queries = self._sizes.queries
        if kind == "log_evidence":
            return True, queries, self._sizes.roots - queries, 0
        return kind == "log_probs", 0, queries, 0

    def read(self, kind: Kind, chosen: Tensor | None, dtype: torch.dtype) -> Tensor:
        """A reading (see `readings.read`); a chosen query that there is not is an IndexError."""
        reading = self._reading(kind, chosen)
        shape = (self.rows, reading[2]) if chosen is None else (self.rows,)
        single = dtype is torch.float32
        out = torch.empty(shape, dtype=torch.float32 if single else torch.float64, device="cpu")
        wrong = read_roots(self.plan.packed, self._numbers, *reading, out.data_ptr(), single)
        if wrong >= 0:
            assert chosen is not None
            raise IndexError(int(chosen[wrong]))
        return out if out.dtype is dtype else out.to(dtype)

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        evidence = self._numbers[0, :, self._sizes.queries : -1]
        return [int(i) for i in np.flatnonzero((evidence <= 0.0).any(axis=1))]

    def derivatives(
        self, kind: Kind, chosen: Tensor | None, gradient: Tensor, by: tuple[bool, bool]
    ) -> tuple[Tensor | None, Tensor | None]:
        """The loss's derivatives by ``batched`` and ``shared`` from its ``gradient`` by a reading.

        In the formats of the kernel. ``by`` says which of them are wanted.
        """
        if gradient.dtype not in (torch.float32, torch.float64) or not gradient.is_contiguous():
            gradient = torch.from_numpy(as_array(gradient))
        single = gradient.dtype is torch.float32
        by_batched = None
        if by[0]:
            by_batched = torch.empty_like(self._batched) if self._sizes.reads_all else self._zeros()
        by_shared = np.zeros((self._blocks, self._shared.numel() if by[1] else 0))
        uses = inversion_of(self.plan).packed
        reading = self._reading(kind, chosen)

        out = 0 if by_batched is None else by_batched.data_ptr()

        def backward(first: int, last: int) -> None:
            room = self._room(1) if self._kept is None else self._kept
            backward_blocks(
                self.plan.packed, uses, *self._addresses, self.rows, first, last, room, self._kept is not None,
                self._numbers, *reading, gradient.data_ptr(), single, out, by_shared,
            )  # fmt: skip

        self._for_blocks(backward)
        return by_batched, torch.from_numpy(by_shared.sum(axis=0)) if by[1] else None


def stored(tensor: Tensor) -> Tensor:
    """A tensor whose numbers stand in memory as they are: kernels read there.

    torch may keep a negated view, whose memory has the opposite numbers, or a tensor of zeros that has no memory.
    """
    return tensor.clone() if tensor.is_neg() or tensor._is_zerotensor() else tensor


def as_array(tensor: Tensor) -> NDArray[np.float32] | NDArray[np.float64]:
    """A tensor's numbers, contiguous, in a format that the kernels read; not copied where they are so already."""
    numbers = tensor if tensor.dtype is torch.float32 or tensor.dtype is torch.float64 else tensor.float()
    numbers = stored(numbers)
    array: NDArray[np.float64] = (numbers.detach() if numbers.requires_grad else numbers).numpy()
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def _threads(work: int) -> int:
    if work < 2 * _WORK_PER_THREAD:
        return 1
    return max(1, min(available_cpus(), torch.get_num_threads(), work // _WORK_PER_THREAD))
