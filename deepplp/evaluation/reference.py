"""The torch reference: the same circuit by tensor operations, for every device and for derivatives of derivatives.

Always with extended range: a value is a mantissa in [1/2, 1) times a power of two. The powers of two are constants to
autograd, so that mantissas and gradients never leave the range of the number format. A zero has a power of two as well,
that of the values around it: its derivative is a number like any other.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from deepplp.evaluation.plan import Plan

__all__ = ["evaluate_reference", "reference_results"]

_NO_EXPONENT = -1e12  # below that of every product; far from where adding to it loses integers
# Powers of two by which numbers are scaled at once: they and their products with small numbers do not overflow.
_LARGEST_SHIFTS = {torch.float64: 900.0, torch.float32: 100.0}


def _scale(x: Tensor, exponent: Tensor) -> Tensor:
    """x * 2**exponent in two halves: 2**1074 alone would overflow."""
    half = torch.floor(exponent / 2)
    return x * torch.exp2(half) * torch.exp2(exponent - half)


def _normalise(x: Tensor, exponent: Tensor) -> tuple[Tensor, Tensor]:
    """x * 2**exponent with a mantissa in [1/2, 1), or 0 * 2**exponent where x is 0."""
    shift = torch.frexp(x.detach()).exponent.to(x.dtype)
    return _scale(x, -shift), exponent + shift


def _levels(plan: Plan) -> list[np.ndarray]:
    """The nodes by their distance from the constants; a node uses nodes of lower levels only."""
    level = np.zeros(plan.nodes, dtype=np.int64)
    for n in range(2, plan.nodes):
        subs = plan.subs[plan.node_offsets[n] : plan.node_offsets[n + 1]]
        level[n] = 1 + (level[subs].max() if len(subs) else 0)
    return [np.flatnonzero(level == i) for i in range(1, int(level.max(initial=0)) + 1)]


def evaluate_reference(plan: Plan, batched: Tensor, shared: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities of the queries given the evidence, each [batch, query].

    Arguments as for `Evaluation`; float64 inside where the device has it. Differentiable any number of times.
    """
    log_probs, probs, _ = reference_results(plan, batched, shared, rows)
    return log_probs, probs


def reference_results(
    plan: Plan, batched: Tensor, shared: Tensor, rows: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The same, and the log-probabilities [batch, evidence] of the evidence."""
    dtype = torch.float32 if batched.device.type == "mps" else torch.float64
    device = batched.device
    reach = _LARGEST_SHIFTS[dtype]

    def index(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    rows = batched.shape[0] if rows is None else rows
    weights = torch.cat([batched.to(dtype).reshape(-1), shared.to(dtype)])
    row = np.arange(rows, dtype=np.int64)[:, None]
    places = np.where(
        plan.strides > 0, plan.bases * rows + row * plan.strides + plan.offsets, batched.numel() + plan.offsets
    )
    leaf_of = np.repeat(np.arange(plan.leaves), np.diff(plan.leaf_offsets))
    leaf = torch.zeros(rows, plan.leaves, dtype=dtype, device=device)
    leaf = leaf.index_add(1, index(leaf_of), weights[index(places)])
    leaf_m, leaf_e = _normalise(leaf, torch.zeros_like(leaf))

    constants = torch.tensor([0.0, 1.0], dtype=dtype, device=device).expand(rows, 2)
    value_m, value_e = _normalise(constants, torch.zeros_like(constants))
    slot = np.zeros(plan.nodes, dtype=np.int64)  # where each node stands in the value tensors
    slot[1] = 1
    filled = 2
    for nodes in _levels(plan):
        sizes = plan.node_offsets[nodes + 1] - plan.node_offsets[nodes]
        elements = np.concatenate([np.arange(plan.node_offsets[n], plan.node_offsets[n + 1]) for n in nodes])
        node_of = index(np.repeat(np.arange(len(nodes)), sizes))
        prime, sub = index(plan.primes[elements]), index(slot[plan.subs[elements]])
        mantissa, exponent = leaf_m[:, prime] * value_m[:, sub], leaf_e[:, prime] + value_e[:, sub]
        top = _largest_exponents(mantissa.detach() == 0, exponent, node_of, len(nodes))
        shift = (exponent - top[:, node_of]).clamp(-reach, reach)
        products = mantissa * torch.exp2(shift)
        sums = torch.zeros(rows, len(nodes), dtype=dtype, device=device).index_add(1, node_of, products)
        m, e = _normalise(sums, top)
        value_m, value_e = torch.cat([value_m, m], dim=1), torch.cat([value_e, e], dim=1)
        slot[nodes] = np.arange(filled, filled + len(nodes))
        filled += len(nodes)

    roots = index(slot[plan.roots])
    root_m, root_e = value_m[:, roots], value_e[:, roots]
    zero = root_m.detach() <= 0  # less than 0 where rounding took a weight there
    # log 0 is -inf, and its derivative is taken to be 0: see `Evaluation`.
    safe_m = torch.where(zero, torch.ones_like(root_m), root_m)
    n, given = plan.queries, index(plan.given)
    ratio_e = root_e[:, :n] - root_e[:, given]
    # The ratio before the logarithm: log P(q|e) near 0 is no difference of large numbers.
    log_probs = torch.log(safe_m[:, :n] / safe_m[:, given]) + ratio_e * math.log(2.0)
    log_probs = log_probs.masked_fill(zero[:, :n], -math.inf).masked_fill(zero[:, given], math.nan)
    probs = _scale(root_m[:, :n] / root_m[:, given], ratio_e.clamp(-2 * reach, reach))
    probs = probs.masked_fill(zero[:, given], math.nan)
    log_evidence = torch.log(safe_m[:, n:]) + root_e[:, n:] * math.log(2.0)
    return log_probs, probs, log_evidence.masked_fill(zero[:, n:], -math.inf)


def _largest_exponents(zero: Tensor, exponent: Tensor, node_of: Tensor, nodes: int) -> Tensor:
    """The largest exponent [batch, node] of each node's products, or of its zero products if it has no others."""
    places = node_of.expand(len(exponent), -1)
    nothing = exponent.new_full((len(exponent), nodes), _NO_EXPONENT)
    some = nothing.scatter_reduce(1, places, exponent.masked_fill(zero, _NO_EXPONENT), "amax")
    return torch.where(some > _NO_EXPONENT, some, nothing.scatter_reduce(1, places, exponent, "amax"))
