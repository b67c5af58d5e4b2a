"""Circuit and weights → probabilities, as a differentiable torch operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepplp.evaluation.kernel import LANES, backward_blocks, forward_blocks
from deepplp.evaluation.plan import Plan
from deepplp.evaluation.reference import evaluate_reference
from deepplp.evaluation.threads import available_cpus, for_ranges

__all__ = ["evaluate"]

_KEEP_VALUES_BYTES = 64 << 20  # what forward may keep for backward; beyond it backward computes the values again
_WORK_PER_THREAD = 40_000  # vector operations below which a second thread costs more than it saves
_NOTHING = np.empty((0, 0))


def evaluate(plan: Plan, batched: Tensor, shared: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities of the queries given the evidence: two tensors [batch, query].

    ``batched`` holds the plan's blocks of weights, as one matrix [batch, b] or flat [batch * b]; ``shared`` [s] the
    weights of all rows; ``rows`` the batch size, which a matrix tells by itself. Rows whose evidence has probability
    zero come out as NaN; the caller turns them into an error. Results have the dtype of ``batched``, or of ``shared``
    where ``batched`` is empty; inside all is float64.

    Derivatives are exact partial derivatives. That of a log-probability at probability 0 is infinite; here such an
    entry adds nothing to the gradient (its probability's derivative is still right).
    """
    rows = batched.shape[0] if rows is None else rows
    dtype = batched.dtype if plan.width else shared.dtype
    if batched.device.type != "cpu":
        log_probs, probs = evaluate_reference(plan, batched, shared, rows)
        return log_probs.to(dtype), probs.to(dtype)
    log_probs, probs = _Evaluate.apply(batched, shared, plan, rows, dtype)
    return log_probs, probs


def _float64(x: Tensor) -> np.ndarray:
    return np.ascontiguousarray(x.detach().to(torch.float64).numpy())


class _Evaluate(torch.autograd.Function):
    """The kernel as an operation of autograd."""

    @staticmethod
    def forward(
        ctx: Any, batched: Tensor, shared: Tensor, plan: Plan, rows: int, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        weights, common = _float64(batched).reshape(-1), _float64(shared)
        roots = len(plan.roots)
        blocks = -(-rows // LANES)
        keep = blocks * (plan.nodes + plan.leaves) * LANES * 8 <= _KEEP_VALUES_BYTES
        leaves = np.empty((blocks if keep else 1, plan.leaves, LANES))
        values = np.empty((blocks if keep else 1, plan.nodes, LANES))
        mantissas = np.empty((rows, roots))
        exponents = np.empty((rows, roots + 1), dtype=np.int64)
        log_probs = np.empty((rows, roots - 1))
        probs = np.empty((rows, roots - 1))

        def run(first: int, last: int) -> None:
            mine = (leaves, values) if keep else (np.empty_like(leaves), np.empty_like(values))
            forward_blocks(
                plan.leaf_offsets, plan.bases, plan.strides, plan.offsets, plan.node_offsets, plan.primes, plan.subs,
                plan.roots, plan.choices, weights, rows, common, first, last, *mine, mantissas, exponents, log_probs,
                probs,
            )  # fmt: skip

        if blocks:
            for_ranges(run, blocks, _threads(plan, blocks))
        ctx.plan = plan
        ctx.rows = rows
        ctx.arrays = (weights, common, leaves, values, keep, mantissas, exponents, probs)
        ctx.save_for_backward(batched, shared)
        ctx.set_materialize_grads(False)
        # The copy keeps what backward reads out of the caller's reach.
        return torch.from_numpy(log_probs).to(dtype), torch.from_numpy(probs).to(dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, log_gradient: Tensor | None, gradient: Tensor | None) -> tuple[Tensor | None, ...]:
        batched, shared = ctx.saved_tensors
        plan: Plan = ctx.plan
        if torch.is_grad_enabled():  # create_graph=True: someone wants to differentiate this derivative
            found = _differentiable_backward(plan, batched, shared, ctx.rows, log_gradient, gradient)
            return *found, None, None, None
        weights, common, leaves, values, keep, mantissas, exponents, probs = ctx.arrays
        blocks = -(-ctx.rows // LANES)
        by_log = _NOTHING if log_gradient is None else _float64(log_gradient)
        by_prob = _NOTHING if gradient is None else _float64(gradient)
        batched_gradient = np.zeros_like(weights)
        shared_gradients = np.zeros((blocks, len(common)))

        def run(first: int, last: int) -> None:
            mine = (leaves, values) if keep else (np.empty_like(leaves), np.empty_like(values))
            backward_blocks(
                plan.leaf_offsets, plan.bases, plan.strides, plan.offsets, plan.node_offsets, plan.primes, plan.subs,
                plan.roots, weights, ctx.rows, common, first, last, *mine, keep, mantissas, exponents, probs, by_log,
                by_prob, batched_gradient, shared_gradients,
            )  # fmt: skip

        if blocks:
            for_ranges(run, blocks, _threads(plan, blocks))
        by_batched = by_shared = None
        if ctx.needs_input_grad[0]:
            by_batched = torch.from_numpy(batched_gradient).to(batched.dtype).reshape(batched.shape)
        if ctx.needs_input_grad[1]:
            by_shared = torch.from_numpy(shared_gradients.sum(axis=0)).to(shared.dtype)
        return by_batched, by_shared, None, None, None


def _threads(plan: Plan, blocks: int) -> int:
    work = blocks * (len(plan.primes) + plan.nodes)
    return max(1, min(available_cpus(), torch.get_num_threads(), work // _WORK_PER_THREAD))


def _differentiable_backward(
    plan: Plan, batched: Tensor, shared: Tensor, rows: int, log_gradient: Tensor | None, gradient: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """The same derivative by the reference, recorded so that it can be differentiated again."""
    with torch.enable_grad():
        outputs = evaluate_reference(plan, batched, shared, rows)
        pairs = [(o, g.to(o.dtype)) for o, g in zip(outputs, (log_gradient, gradient), strict=True) if g is not None]
        inputs = [x for x in (batched, shared) if x.requires_grad]
        found = iter(
            torch.autograd.grad(
                [o for o, _ in pairs], inputs, [g for _, g in pairs], create_graph=True, allow_unused=True
            )
        )
    return next(found) if batched.requires_grad else None, next(found) if shared.requires_grad else None
