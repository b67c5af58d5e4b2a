"""The torch reference: the same circuit by tensor operations, for every device and for derivatives of derivatives.

Always with extended range: a value is a mantissa in [1/2, 1) times a power of two. The powers of two are constants to
autograd, so that mantissas and gradients never leave the range of the number format. A zero has a power of two as well,
that of the values around it: its derivative is a number like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import Plan, layers_of
from deepplp.evaluation.readings import Kind, Roots, check_chosen, read, scale, sums_by
from deepplp.evaluation.semirings import Level, Places, Semiring, Table, levels_of, taken, walk

__all__ = ["ReferenceWalk", "evaluate_reference", "reference_gradients", "reference_roots", "to_device"]

_NO_EXPONENT = -1e12  # below that of every product; far from where adding to it loses integers
# Powers of two by which numbers are scaled at once: they and their products with small numbers do not overflow.
_LARGEST_SHIFTS = {torch.float64: 900.0, torch.float32: 100.0}


def _normalise(x: Tensor, exponent: Tensor) -> tuple[Tensor, Tensor]:
    """x * 2**exponent with a mantissa in [1/2, 1), or 0 * 2**exponent where x is 0."""
    shift = torch.frexp(x.detach()).exponent.to(x.dtype)
    return scale(x, -shift), exponent + shift


def to_device(array: np.ndarray, device: torch.device, dtype: torch.dtype = torch.int64) -> Tensor:
    """An index array as a tensor that autograd may keep, whatever mode the caller is in."""
    with torch.inference_mode(False):
        return torch.from_numpy(array.copy()).to(device, dtype)


@dataclass(frozen=True, slots=True, eq=False)
class _Indices:
    """A plan's index arrays on one device."""

    batched: Tensor
    bases: Tensor
    strides: Tensor
    offsets: Tensor
    leaf_of: Tensor
    levels: tuple[Level, ...]
    roots: Tensor
    given: Tensor


def _indices(plan: Plan, device: torch.device) -> _Indices:
    def index(array: Tensor | np.ndarray) -> Tensor:
        return to_device(np.asarray(array), device)

    layers = layers_of(plan)
    arrays = layers.plan.arrays
    levels = [
        Level(index(level.primes), index(level.subs), index(level.node_of), level.nodes) for level in levels_of(layers)
    ]
    return _Indices(
        index(arrays.strides > 0).bool(),
        index(arrays.bases),
        index(arrays.strides),
        index(arrays.offsets),
        index(np.repeat(np.arange(plan.leaves), np.diff(arrays.leaf_offsets))),
        tuple(levels),
        index(arrays.roots),
        index(arrays.given),
    )


def reference_roots(plan: Plan, batched: Tensor, shared: Tensor, rows: int) -> Roots:
    """The roots of every row, differentiable any number of times.

    Arguments as for `Evaluation`; float64 inside where the device has it.
    """
    dtype = torch.float32 if batched.device.type == "mps" else torch.float64
    device = batched.device
    indices = plan.keep(("reference", device), lambda p: _indices(p, device))
    leaves = _leaves(indices, plan, batched.to(dtype).reshape(-1), shared.to(dtype), rows)
    mantissas, exponents = taken(walk(indices.levels, leaves, EXTENDED), indices.roots)
    assert isinstance(mantissas, Tensor)
    assert isinstance(exponents, Tensor)
    return Roots(mantissas, exponents, indices.given)


def _extended_products(a: Table, b: Table) -> Table:
    return a[0] * b[0], a[1] + b[1]


def _extended_sums(table: Table, group_of: Places, groups: int) -> Table:
    mantissa, exponent = table
    assert isinstance(mantissa, Tensor)
    assert isinstance(exponent, Tensor)
    assert isinstance(group_of, Tensor)
    reach = _LARGEST_SHIFTS[mantissa.dtype]
    top = _largest_exponents(mantissa.detach() == 0, exponent, group_of, groups)
    shift = (exponent - top[:, group_of]).clamp(-reach, reach)
    return _normalise(sums_by(mantissa * torch.exp2(shift), group_of, groups), top)


EXTENDED = Semiring(_extended_sums, _extended_products, (0.0, 0.0), (0.5, 1.0), normalised=True)
"""Sums of products with extended range: a table holds mantissas and exponents."""


def evaluate_reference(plan: Plan, batched: Tensor, shared: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities of the queries given the evidence, each [batch, query].

    Arguments as for `Evaluation`. Differentiable any number of times.
    """
    roots = reference_roots(plan, batched, shared, batched.shape[0] if rows is None else rows)
    return read(roots, "log_probs", None), read(roots, "probs", None)


class ReferenceWalk:
    """The roots of every row of a batch, and differentiable readings of them.

    Arguments as for `Evaluation`.
    """

    def __init__(self, plan: Plan, batched: Tensor, shared: Tensor, rows: int) -> None:
        self.plan = plan
        self.rows = rows
        self._roots = reference_roots(plan, batched, shared, rows)

    def read(self, kind: Kind, chosen: Tensor | None, dtype: torch.dtype) -> Tensor:
        """A reading (see `readings.read`); a chosen query that there is not is an IndexError."""
        if chosen is not None:
            check_chosen(chosen, self.plan.queries)
        return read(self._roots, kind, chosen).to(dtype)

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        return self._roots.impossible_rows()


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
    plan: Plan,
    batched: Tensor,
    shared: Tensor,
    rows: int,
    results: Callable[[Roots], Tensor],
    gradient: Tensor,
    *,
    create_graph: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """The loss's derivatives by ``batched`` and ``shared``, None for one that requires no gradient.

    ``gradient`` are its derivatives by the ``results`` of roots. With ``create_graph`` the derivatives can be
    differentiated again.
    """
    with torch.enable_grad():
        found = results(reference_roots(plan, batched, shared, rows))
        inputs = [x for x in (batched, shared) if x.requires_grad]
        # A constant circuit reads no weight: its derivative is zero, and can be differentiated too.
        found = found + sum(0.0 * x.sum() for x in inputs)
        gradients = iter(torch.autograd.grad(found, inputs, gradient.to(found.dtype), create_graph=create_graph))
    return next(gradients) if batched.requires_grad else None, next(gradients) if shared.requires_grad else None
