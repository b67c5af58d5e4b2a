"""Circuit and weights → probabilities, as differentiable torch tensors."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from deepplp.evaluation.kernel import LANES, backward_blocks, forward_blocks, rows_are_distributions, scatter, select
from deepplp.evaluation.plan import Plan
from deepplp.evaluation.reference import reference_results
from deepplp.evaluation.threads import available_cpus, for_ranges

__all__ = ["Evaluation", "are_distributions", "evaluate"]

_KEEP_VALUES_BYTES = 64 << 20  # what forward may keep for backward; beyond it backward computes the values again
_WORK_PER_THREAD = 10_000  # elements times blocks, below which a second thread costs more than it saves
_NO_GRADIENT = np.empty((0, 0))

Kind = Literal["log_probs", "probs", "selected", "log_evidence"]


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
    reads nothing batched; inside all is float64. The kernel runs on the CPU, the torch reference elsewhere and where
    ``use_kernel`` is false.

    Derivatives are exact partial derivatives. That of a log-probability at probability 0 is infinite; here such an
    entry adds nothing to the gradient (its probability's derivative is still right).
    """

    def __init__(
        self, plan: Plan, batched: Tensor, shared: Tensor, rows: int | None = None, *, use_kernel: bool = True
    ) -> None:
        self.plan = plan
        self.rows = batched.shape[0] if rows is None else rows
        self.dtype = batched.dtype if plan.width else shared.dtype
        self._tensors = (batched, shared)
        self._by_kernel = use_kernel and batched.device.type == "cpu"
        if self._by_kernel:
            self._walk()
        else:
            self._reference = reference_results(plan, batched, shared, self.rows)

    @property
    def device(self) -> torch.device:
        """Where the weights and the results are."""
        return self._tensors[0].device

    def log_probs(self) -> Tensor:
        """The log-probabilities [batch, query]."""
        if self._by_kernel:
            return self._read("log_probs")
        return self._reference[0].to(self.dtype)

    def probs(self) -> Tensor:
        """The probabilities [batch, query]."""
        if self._by_kernel:
            return self._read("probs")
        return self._reference[1].to(self.dtype)

    def log_evidence(self) -> Tensor:
        """The log-probability [batch, evidence] of the evidence, of which circuits laid end to end have one each."""
        if self._by_kernel:
            return self._read("log_evidence")
        return self._reference[2].to(self.dtype)

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability [batch] of one query a row, by its index [batch].

        An index out of range is an IndexError.
        """
        if self._by_kernel:
            return self._read("selected", np.ascontiguousarray(queries.numpy()))
        if self.rows and not 0 <= int(queries.min()) <= int(queries.max()) < self._reference[0].shape[1]:
            raise IndexError(int(queries.min()) if int(queries.min()) < 0 else int(queries.max()))
        return self._reference[0].gather(1, queries.unsqueeze(1)).squeeze(1).to(self.dtype)

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        if not self.plan.conditioned:
            return []
        if self._by_kernel:
            return [int(i) for i in np.flatnonzero((self._mantissas[:, self.plan.queries :] <= 0.0).any(axis=1))]
        return [int(i) for i in torch.isnan(self._reference[0].detach()).any(dim=1).nonzero().flatten()]

    def _read(self, kind: Kind, queries: np.ndarray | None = None) -> Tensor:
        result: Tensor = _Read.apply(*self._tensors, self, kind, queries)
        return result

    def _walk(self) -> None:
        """Run the kernel forward; ``_log_probs``, ``_probs`` and what backward needs are kept."""
        plan, rows = self.plan, self.rows
        self._weights, self._common = (_float64(t).reshape(-1) for t in self._tensors)
        weights, common, roots = self._weights, self._common, len(plan.roots)
        blocks = self._blocks = -(-rows // LANES)
        lanes = min(rows, LANES)
        keep = self._keep = blocks * (plan.nodes + plan.leaves) * lanes * 8 <= _KEEP_VALUES_BYTES
        leaves = self._leaves = np.empty((blocks if keep else 1, plan.leaves, lanes))
        values = self._values = np.empty((blocks if keep else 1, plan.nodes, lanes))
        mantissas = self._mantissas = np.empty((rows, roots))
        exponents = self._exponents = np.empty((rows, roots + 1), dtype=np.int64)
        log_probs = self._log_probs = np.empty((rows, plan.queries))
        probs = self._probs = np.empty((rows, plan.queries))

        def run(first: int, last: int) -> None:
            mine = (leaves, values) if keep else (np.empty_like(leaves), np.empty_like(values))
            forward_blocks(
                plan.leaf_offsets, plan.bases, plan.strides, plan.offsets, plan.node_offsets, plan.primes, plan.subs,
                plan.roots, plan.given, plan.choices, weights, rows, common, first, last, *mine, mantissas, exponents,
                log_probs, probs,
            )  # fmt: skip

        if blocks:
            for_ranges(run, blocks, _threads(plan, blocks))

    def _log_of_evidence(self) -> np.ndarray:
        with np.errstate(divide="ignore"):
            mantissas = np.maximum(self._mantissas[:, self.plan.queries :], 0.0)
            logs: np.ndarray = np.log(mantissas) + self._exponents[:, self.plan.queries : -1] * math.log(2.0)
        return logs

    def _back(self, by_log: np.ndarray, by_prob: np.ndarray, by_evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The loss's derivatives by the weights, from those by the results."""
        plan = self.plan
        weights, common, leaves, values, keep = self._weights, self._common, self._leaves, self._values, self._keep
        batched_gradient = np.zeros(len(weights))
        shared_gradients = np.zeros((self._blocks, len(common)))

        def run(first: int, last: int) -> None:
            mine = (leaves, values) if keep else (np.empty_like(leaves), np.empty_like(values))
            backward_blocks(
                plan.leaf_offsets, plan.bases, plan.strides, plan.offsets, plan.node_offsets, plan.primes, plan.subs,
                plan.roots, plan.given, weights, self.rows, common, first, last, *mine, keep, self._mantissas,
                self._exponents, self._probs, by_log, by_prob, by_evidence, batched_gradient, shared_gradients,
            )  # fmt: skip

        if self._blocks:
            for_ranges(run, self._blocks, _threads(plan, self._blocks))
        return batched_gradient, shared_gradients.sum(axis=0) if len(common) else common


class _Read(torch.autograd.Function):
    """A result of an evaluation as an operation of autograd."""

    @staticmethod
    def forward(
        ctx: Any, batched: Tensor, shared: Tensor, evaluation: Evaluation, kind: Kind, queries: np.ndarray | None
    ) -> Tensor:
        ctx.evaluation, ctx.kind, ctx.queries = evaluation, kind, queries
        ctx.save_for_backward(batched, shared)
        values: np.ndarray
        if kind == "probs":
            values = evaluation._probs
        elif kind == "log_probs":
            values = evaluation._log_probs
        elif kind == "log_evidence":
            values = evaluation._log_of_evidence()
        else:
            values = np.empty(evaluation.rows)
            wrong = select(evaluation._log_probs, queries, values)
            if wrong >= 0:
                raise IndexError(int(queries[wrong]))  # type: ignore[index]
        # A copy: what the evaluation keeps is out of the caller's reach.
        return torch.from_numpy(values).to(evaluation.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        batched, shared = ctx.saved_tensors
        evaluation: Evaluation = ctx.evaluation
        if torch.is_grad_enabled():  # create_graph=True: someone wants to differentiate this derivative
            return *_differentiable_backward(evaluation, batched, shared, ctx.kind, ctx.queries, gradient), *[None] * 3
        given = _float64(gradient)
        if ctx.kind == "selected":
            by_log = np.zeros(evaluation._log_probs.shape)
            scatter(given, ctx.queries, by_log)
        else:
            by_log = given if ctx.kind == "log_probs" else _NO_GRADIENT
        by_prob = given if ctx.kind == "probs" else _NO_GRADIENT
        by_evidence = given if ctx.kind == "log_evidence" else _NO_GRADIENT
        batched_gradient, shared_gradient = evaluation._back(by_log, by_prob, by_evidence)
        by_batched = by_shared = None
        if ctx.needs_input_grad[0]:
            by_batched = torch.from_numpy(batched_gradient).to(batched.dtype).reshape(batched.shape)
        if ctx.needs_input_grad[1]:
            by_shared = torch.from_numpy(shared_gradient).to(shared.dtype)
        return by_batched, by_shared, None, None, None


def _differentiable_backward(
    evaluation: Evaluation,
    batched: Tensor,
    shared: Tensor,
    kind: Kind,
    queries: np.ndarray | None,
    gradient: Tensor,
) -> tuple[Tensor | None, Tensor | None]:
    """The same derivative by the reference, recorded so that it can be differentiated again."""
    with torch.enable_grad():
        log_probs, probs, log_evidence = reference_results(evaluation.plan, batched, shared, evaluation.rows)
        output = {"probs": probs, "log_evidence": log_evidence}.get(kind, log_probs)
        if queries is not None:
            output = output.gather(1, torch.from_numpy(queries).unsqueeze(1)).squeeze(1)
        inputs = [x for x in (batched, shared) if x.requires_grad]
        for x in inputs:  # a constant circuit reads no weight: its derivative is zero, and can be differentiated too
            output = output + 0.0 * x.sum().to(output.dtype)
        found = iter(torch.autograd.grad(output, inputs, gradient.to(output.dtype), create_graph=True))
    return next(found) if batched.requires_grad else None, next(found) if shared.requires_grad else None


def are_distributions(probabilities: Tensor, sum_tolerance: float, negative_tolerance: float) -> bool:
    """Whether every row of [rows, values] is finite, at least 0 and sums to 1, within the tolerances."""
    p = probabilities.detach()
    if not p.numel():
        return True
    if p.device.type == "cpu":
        wide = p if p.dtype in (torch.float32, torch.float64) else p.double()
        return bool(rows_are_distributions(wide.contiguous().numpy(), sum_tolerance, negative_tolerance))
    # Comparisons with NaN are false.
    return float((p.sum(dim=1) - 1).abs().max()) <= sum_tolerance and float(p.min()) >= -negative_tolerance


def _float64(x: Tensor) -> np.ndarray:
    return np.ascontiguousarray(x.detach().to(torch.float64).numpy()) if x.numel() else np.empty(x.shape)


def _threads(plan: Plan, blocks: int) -> int:
    work = blocks * (len(plan.primes) + plan.nodes)
    if work < 2 * _WORK_PER_THREAD:
        return 1
    return max(1, min(available_cpus(), torch.get_num_threads(), work // _WORK_PER_THREAD))
