"""The torch reference: the same circuit by tensor operations, for every device and for derivatives of derivatives.

Always with extended range: a value is a mantissa in [1/2, 1) times a power of two. The powers of two are constants to
autograd, so that mantissas and gradients never leave the range of the number format. A zero has a power of two as well,
that of the values around it: its derivative is a number like any other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import Plan
from deepplp.evaluation.layers import layers_of

__all__ = ["evaluate_reference", "reference_gradients", "reference_results", "sums_by", "to_device"]

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


def to_device(array: np.ndarray, device: torch.device, dtype: torch.dtype = torch.int64) -> Tensor:
    """An index array as a tensor that autograd may keep, whatever mode the caller is in."""
    with torch.inference_mode(False):
        return torch.from_numpy(array.copy()).to(device, dtype)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The elements of one level's nodes: leaves ``primes`` times slots ``subs``, each for a node of the level."""

    primes: Tensor
    subs: Tensor
    node_of: Tensor
    nodes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Indices:
    """A plan's index arrays on one device."""

    batched: Tensor
    bases: Tensor
    strides: Tensor
    offsets: Tensor
    leaf_of: Tensor
    levels: tuple[_Level, ...]
    roots: Tensor
    given: Tensor


def _indices(plan: Plan, device: torch.device) -> _Indices:
    def index(array: np.ndarray) -> Tensor:
        return to_device(array, device)

    layers = layers_of(plan)
    starts, levels = layers.values.starts, []
    for first, last in zip(layers.bounds[1:-1], layers.bounds[2:], strict=True):
        mine = slice(starts[first], starts[last])
        node_of = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
        levels.append(
            _Level(index(layers.values.left[mine]), index(layers.values.right[mine]), index(node_of), int(last - first))
        )
    return _Indices(
        index(plan.strides > 0).bool(),
        index(plan.bases),
        index(plan.strides),
        index(plan.offsets),
        index(np.repeat(np.arange(plan.leaves), np.diff(plan.leaf_offsets))),
        tuple(levels),
        index(layers.roots),
        index(plan.given),
    )


def sums_by(x: Tensor, place: Tensor, places: int) -> Tensor:
    """The sums [rows, places] of those entries of x [rows, n] that have the same ``place`` [n].

    In the order of the entries, so that the same bits come out every time; on a GPU ``index_add`` has no order.
    """
    if x.device.type == "cpu":
        return x.new_zeros(len(x), places).index_add(1, place, x)
    return x.new_zeros(places, len(x)).index_put((place,), x.T, accumulate=True).T


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
    indices = plan.keep(("reference", device), lambda: _indices(plan, device))
    rows = batched.shape[0] if rows is None else rows
    leaf_m, leaf_e = _leaves(indices, plan, batched.to(dtype).reshape(-1), shared.to(dtype), rows)
    constants = torch.tensor([0.0, 1.0], dtype=dtype, device=device).expand(rows, 2)
    value_m, value_e = _normalise(constants, torch.zeros_like(constants))
    for level in indices.levels:
        mantissa = leaf_m[:, level.primes] * value_m[:, level.subs]
        exponent = leaf_e[:, level.primes] + value_e[:, level.subs]
        top = _largest_exponents(mantissa.detach() == 0, exponent, level.node_of, level.nodes)
        shift = (exponent - top[:, level.node_of]).clamp(-reach, reach)
        m, e = _normalise(sums_by(mantissa * torch.exp2(shift), level.node_of, level.nodes), top)
        value_m, value_e = torch.cat([value_m, m], dim=1), torch.cat([value_e, e], dim=1)

    root_m, root_e = value_m[:, indices.roots], value_e[:, indices.roots]
    zero = root_m.detach() <= 0  # less than 0 where rounding took a weight there
    # log 0 is -inf, and its derivative is taken to be 0: see `Evaluation`.
    safe_m = torch.where(zero, torch.ones_like(root_m), root_m)
    n, given = plan.queries, indices.given
    ratio_e = root_e[:, :n] - root_e[:, given]
    # The ratio before the logarithm: log P(q|e) near 0 is no difference of large numbers.
    log_probs = torch.log(safe_m[:, :n] / safe_m[:, given]) + ratio_e * math.log(2.0)
    log_probs = log_probs.masked_fill(zero[:, :n], -math.inf).masked_fill(zero[:, given], math.nan)
    probs = _scale(root_m[:, :n] / root_m[:, given], ratio_e.clamp(-2 * reach, reach))
    probs = probs.masked_fill(zero[:, given], math.nan)
    log_evidence = torch.log(safe_m[:, n:]) + root_e[:, n:] * math.log(2.0)
    return log_probs, probs, log_evidence.masked_fill(zero[:, n:], -math.inf)


def _leaves(indices: _Indices, plan: Plan, batched: Tensor, shared: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """The leaves [batch, leaf], sums of weights."""
    weights = torch.cat([batched, shared])
    row = torch.arange(rows, device=batched.device).unsqueeze(1)
    in_row = indices.bases * rows + row * indices.strides + indices.offsets
    places = torch.where(indices.batched, in_row, len(batched) + indices.offsets)
    leaf = sums_by(weights[places], indices.leaf_of, plan.leaves)
    return _normalise(leaf, torch.zeros_like(leaf))


def _largest_exponents(zero: Tensor, exponent: Tensor, node_of: Tensor, nodes: int) -> Tensor:
    """The largest exponent [batch, node] of each node's products, or of its zero products if it has no others."""
    places = node_of.expand(len(exponent), -1)
    nothing = exponent.new_full((len(exponent), nodes), _NO_EXPONENT)
    some = nothing.scatter_reduce(1, places, exponent.masked_fill(zero, _NO_EXPONENT), "amax")
    return torch.where(some > _NO_EXPONENT, some, nothing.scatter_reduce(1, places, exponent, "amax"))


def reference_gradients(
    plan: Plan, batched: Tensor, shared: Tensor, rows: int, gradients: Sequence[Tensor | None], *, create_graph: bool
) -> tuple[Tensor | None, Tensor | None]:
    """The loss's derivatives by ``batched`` and ``shared``, None for one that requires no gradient.

    ``gradients`` are its derivatives by the three results, None where it does not depend on one. With ``create_graph``
    the derivatives can be differentiated again.
    """
    with torch.enable_grad():
        results = reference_results(plan, batched, shared, rows)
        inputs = [x for x in (batched, shared) if x.requires_grad]
        read = [(r, g.to(r.dtype)) for r, g in zip(results, gradients, strict=True) if g is not None]
        # A constant circuit reads no weight: its derivative is zero, and can be differentiated too.
        nothing = sum(0.0 * x.sum() for x in inputs)
        outputs = [result + nothing for result, _ in read]
        found = iter(torch.autograd.grad(outputs, inputs, [g for _, g in read], create_graph=create_graph))
    return next(found) if batched.requires_grad else None, next(found) if shared.requires_grad else None
