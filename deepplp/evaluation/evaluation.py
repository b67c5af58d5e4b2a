"""Circuit and weights → probabilities, as differentiable torch tensors."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd import forward_ad

from deepplp.circuit import Plan
from deepplp.errors import InputError
from deepplp.evaluation.devices import kernels_on
from deepplp.evaluation.kernels import (
    CpuWalk,
    ReferenceWalk,
    TritonWalk,
    as_array,
    reference_gradients,
    rows_are_distributions,
    stored,
)
from deepplp.evaluation.readings import Kind

__all__ = ["Evaluation", "are_distributions", "evaluate"]


class Walk(Protocol):
    """The roots of every row of a batch, on some device, and readings of them."""

    def read(self, kind: Kind, chosen: Tensor | None, dtype: torch.dtype) -> Tensor:
        """A reading (see `readings.read`); a chosen query that there is not is an IndexError."""

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""


def evaluate(plan: Plan, batched: Tensor, shared: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities of the queries given the evidence: two tensors [batch, query].

    The arguments and what is differentiable: see `Evaluation`.
    """
    evaluation = Evaluation(plan, batched, shared, rows)
    return evaluation.log_probs(), evaluation.probs()


class Evaluation:
    """One walk over a circuit, from which log-probabilities and probabilities are read.

    ``batched`` holds the plan's blocks of weights, as one matrix [batch, b] or flat [batch * b]; ``shared`` [s] the
    weights of all rows; ``rows`` the batch size, which a matrix tells by itself. Rows whose evidence has probability
    zero come out as NaN (see `impossible_rows`). Results have the ``dtype``; without one, that of ``batched``, or of
    ``shared`` where the plan reads nothing batched. Inside all is float64. On the CPU a kernel runs, on a GPU Triton's
    where Triton is there, and the torch reference elsewhere and where ``use_kernel`` is false.

    Derivatives are exact partial derivatives. That of a log-probability at probability 0 is infinite; here such an
    entry adds nothing to the gradient (its probability's derivative is still right), and neither do rows that are NaN.
    """

    def __init__(
        self,
        plan: Plan,
        batched: Tensor,
        shared: Tensor,
        rows: int | None = None,
        *,
        use_kernel: bool = True,
        dtype: torch.dtype | None = None,
    ) -> None:
        batched, shared = stored(batched), stored(shared)
        self.plan = plan
        self.rows = batched.shape[0] if rows is None else rows
        self.dtype = dtype or (batched.dtype if plan.width else shared.dtype)
        self.device = batched.device  # where the weights and the results are
        self._tensors = (batched, shared)
        if batched.numel() != self.rows * plan.width or shared.numel() < plan.shared:
            raise InputError(
                f"the circuit reads {plan.width} weights for each of {self.rows} rows and {plan.shared} that all rows "
                f"share; it was given {batched.numel()} and {shared.numel()}"
            )
        self._versions = [None if t.is_inference() else t._version for t in self._tensors]
        if forward_ad._current_level >= 0:  # a tangent passes through operations that autograd knows: not the kernels
            use_kernel = False
        keep = self._wants_gradients()
        self._kernel: CpuWalk | TritonWalk | None = None
        if use_kernel and self.device.type == "cpu":
            self._kernel = CpuWalk(plan, batched, shared, self.rows, keep=keep)
        elif (kernels := kernels_on(self.device) if use_kernel else None) is not None:
            self._kernel = TritonWalk(plan, batched, shared, self.rows, kernels, keep=keep)
        self._walk: Walk = self._kernel or ReferenceWalk(plan, batched, shared, self.rows)

    def log_probs(self) -> Tensor:
        """The log-probabilities [batch, query]."""
        return self._read("log_probs")

    def probs(self) -> Tensor:
        """The probabilities [batch, query]."""
        return self._read("probs")

    def upper_probs(self) -> Tensor:
        """Upper bounds of the probabilities: these themselves, which are exact."""
        return self.probs()

    def log_evidence(self) -> Tensor:
        """The log-probability [batch, evidence] of the evidence, of which circuits laid end to end have one each."""
        return self._read("log_evidence")

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability [batch] of one query a row, by its index [batch].

        An index out of range is an IndexError.
        """
        if queries.shape != (self.rows,):
            raise InputError(f"one query a row is asked for, so [{self.rows}] indices, not {list(queries.shape)}")
        if queries.dtype is not torch.long or not queries.is_contiguous():  # the kernel reads longs, one after another
            queries = queries.to(torch.long).contiguous()
        return self._read("selected", stored(queries))

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        return self._walk.impossible_rows() if self.plan.conditioned else []

    def _wants_gradients(self) -> bool:
        batched, shared = self._tensors
        return (batched.requires_grad or shared.requires_grad) and torch.is_grad_enabled()

    def _read(self, kind: Kind, chosen: Tensor | None = None) -> Tensor:
        for tensor, version in zip(self._tensors, self._versions, strict=True):
            if version is not None and tensor._version != version:
                raise InputError(
                    "a network's output, or a weight, was changed in place after the query: read the answers before, "
                    "or change a copy (.clone())"
                )
        if self._kernel is None or not self._wants_gradients():
            return self._walk.read(kind, chosen, self.dtype)
        found: Tensor = _Read.apply(*self._tensors, self._kernel, kind, chosen, self.dtype)
        return found


class _Read(torch.autograd.Function):
    """A reading of a kernel's walk as an operation of autograd."""

    @staticmethod
    def forward(
        ctx: Any,
        batched: Tensor,
        shared: Tensor,
        walk: CpuWalk | TritonWalk,
        kind: Kind,
        chosen: Tensor | None,
        dtype: torch.dtype,
    ) -> Tensor:
        ctx.walk, ctx.kind = walk, kind
        ctx.save_for_backward(batched, shared, chosen)
        return walk.read(kind, chosen, dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        batched, shared, chosen = ctx.saved_tensors
        wanted = ctx.needs_input_grad[:2]
        walk, kind = ctx.walk, ctx.kind
        gradient = stored(gradient)
        if torch.is_grad_enabled():  # create_graph=True: someone wants to differentiate this derivative
            found = reference_gradients(
                walk.plan,
                batched,
                shared,
                walk.rows,
                kind,
                chosen,
                gradient,
                create_graph=True,
            )
        else:
            found = walk.derivatives(kind, chosen, gradient, wanted)  # None for what is not wanted
        by_batched, by_shared = found
        return (
            _like(by_batched, batched) if wanted[0] and by_batched is not None else None,
            _like(by_shared, shared) if wanted[1] and by_shared is not None else None,
            None, None, None, None,
        )  # fmt: skip


def _like(found: Tensor, weights: Tensor) -> Tensor:
    """A gradient in the format and the shape of the weights."""
    if found.dtype is not weights.dtype:
        found = found.to(weights.dtype)
    return found if found.shape == weights.shape else found.view(weights.shape)


def are_distributions(probabilities: Tensor, sum_tolerance: float, negative_tolerance: float) -> bool:
    """Whether every row of [rows, values] is finite, at least 0 and sums to 1, within the tolerances."""
    if not probabilities.numel():
        return True
    if probabilities.device.type == "cpu":
        return bool(rows_are_distributions(as_array(probabilities), sum_tolerance, negative_tolerance))
    p = probabilities.detach()
    wide = p if p.dtype in (torch.float32, torch.float64) else p.float()
    # Comparisons with NaN are false.
    right = ((wide.sum(dim=1) - 1).abs().amax() <= sum_tolerance) & (wide.amin() >= -negative_tolerance)
    return bool(right)
