"""Circuit and weights → probabilities, as differentiable torch tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import Plan
from deepplp.evaluation.cuda import cuda_results
from deepplp.evaluation.devices import kernels_on
from deepplp.evaluation.kernels.reference import reference_gradients, reference_results
from deepplp.evaluation.readings import rows_are_distributions
from deepplp.evaluation.walk import Kind, Walk, as_array

__all__ = ["Evaluation", "are_distributions", "evaluate"]


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
    zero come out as NaN (see `impossible_rows`). Results have the dtype of ``batched``, or of ``shared`` where the plan
    reads nothing batched; inside all is float64. On the CPU a kernel runs, on a GPU Triton's where Triton is there, and
    the torch reference elsewhere and where ``use_kernel`` is false.

    Derivatives are exact partial derivatives. That of a log-probability at probability 0 is infinite; here such an
    entry adds nothing to the gradient (its probability's derivative is still right).
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
        self.plan = plan
        self.rows = batched.shape[0] if rows is None else rows
        self.dtype = dtype or (batched.dtype if plan.width else shared.dtype)
        self._tensors = (batched, shared)
        self._walk: Walk | None = None
        if use_kernel and batched.device.type == "cpu":
            self._walk = Walk(plan, batched, shared, self.rows, keep=self._wants_gradients())
        elif (kernels := kernels_on(batched.device) if use_kernel else None) is not None:
            self._results = cuda_results(plan, batched, shared, self.rows, kernels)
        else:
            self._results = reference_results(plan, batched, shared, self.rows)

    @property
    def device(self) -> torch.device:
        """Where the weights and the results are."""
        return self._tensors[0].device

    def log_probs(self) -> Tensor:
        """The log-probabilities [batch, query]."""
        if self._walk is not None:
            return self._read(self._walk, "log_probs")
        return self._results[0].to(self.dtype, copy=True)

    def probs(self) -> Tensor:
        """The probabilities [batch, query]."""
        if self._walk is not None:
            return self._read(self._walk, "probs")
        return self._results[1].to(self.dtype, copy=True)

    def log_evidence(self) -> Tensor:
        """The log-probability [batch, evidence] of the evidence, of which circuits laid end to end have one each."""
        if self._walk is not None:
            return self._read(self._walk, "log_evidence")
        return self._results[2].to(self.dtype, copy=True)

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability [batch] of one query a row, by its index [batch].

        An index out of range is an IndexError.
        """
        if self._walk is not None:
            return self._read(self._walk, "selected", np.ascontiguousarray(queries.numpy()))
        if self.rows:
            lowest, highest = torch.stack(torch.aminmax(queries)).tolist()
            if lowest < 0 or highest >= self._results[0].shape[1]:
                raise IndexError(lowest if lowest < 0 else highest)
        return self._results[0].gather(1, queries.unsqueeze(1)).squeeze(1).to(self.dtype)

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        if not self.plan.conditioned:
            return []
        if self._walk is not None:
            return self._walk.impossible_rows()
        return [int(i) for i in torch.isnan(self._results[0].detach()).any(dim=1).nonzero().flatten()]

    def _wants_gradients(self) -> bool:
        batched, shared = self._tensors
        return (batched.requires_grad or shared.requires_grad) and torch.is_grad_enabled()

    def _read(self, walk: Walk, kind: Kind, indices: np.ndarray | None = None) -> Tensor:
        if not self._wants_gradients():
            return walk.read(kind, indices, self.dtype)
        result: Tensor = _Read.apply(*self._tensors, walk, kind, indices, self.dtype)
        return result


class _Read(torch.autograd.Function):
    """A result of an evaluation as an operation of autograd."""

    @staticmethod
    def forward(
        ctx: Any,
        batched: Tensor,
        shared: Tensor,
        walk: Walk,
        kind: Kind,
        indices: np.ndarray | None,
        dtype: torch.dtype,
    ) -> Tensor:
        ctx.walk, ctx.kind, ctx.indices = walk, kind, indices
        ctx.save_for_backward(batched, shared)
        return walk.read(kind, indices, dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        batched, shared = ctx.saved_tensors
        if torch.is_grad_enabled():  # create_graph=True: someone wants to differentiate this derivative
            return *_differentiable_backward(ctx.walk, batched, shared, ctx.kind, ctx.indices, gradient), *[None] * 4
        by_batched, by_shared = ctx.walk.derivatives(ctx.kind, ctx.indices, gradient)
        needs_batched, needs_shared = ctx.needs_input_grad[:2]
        return (
            by_batched.to(batched.dtype).view(batched.shape) if needs_batched else None,
            by_shared.to(shared.dtype) if needs_shared else None,
            None, None, None, None,
        )  # fmt: skip


def _differentiable_backward(
    walk: Walk,
    batched: Tensor,
    shared: Tensor,
    kind: Kind,
    indices: np.ndarray | None,
    gradient: Tensor,
) -> tuple[Tensor | None, Tensor | None]:
    """The same derivative by the reference, recorded so that it can be differentiated again."""
    by_log, by_prob, by_evidence = (gradient if kind == k else None for k in ("log_probs", "probs", "log_evidence"))
    if indices is not None:
        chosen = torch.from_numpy(indices).unsqueeze(1)
        by_log = gradient.new_zeros(walk.rows, walk.plan.queries).scatter(1, chosen, gradient.unsqueeze(1))
    gradients = by_log, by_prob, by_evidence
    return reference_gradients(walk.plan, batched, shared, walk.rows, gradients, create_graph=True)


def are_distributions(probabilities: Tensor, sum_tolerance: float, negative_tolerance: float) -> bool:
    """Whether every row of [rows, values] is finite, at least 0 and sums to 1, within the tolerances."""
    p = probabilities.detach()
    if not p.numel():
        return True
    if p.device.type == "cpu":
        return bool(rows_are_distributions(as_array(probabilities), sum_tolerance, negative_tolerance))
    wide = p if p.dtype in (torch.float32, torch.float64) else p.float()
    # Comparisons with NaN are false.
    right = ((wide.sum(dim=1) - 1).abs().amax() <= sum_tolerance) & (wide.amin() >= -negative_tolerance)
    return bool(right)
