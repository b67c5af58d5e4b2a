"""The torch reference: the same circuit by tensor operations, for every device and for derivatives of derivatives.

Always with extended range (see `extended`), and so are the derivatives: they are summed up level by level from the
roots down, as the kernels do it. The derivative by a weight of 0 may be any power of two larger than the values around
it, which no chain of float64 numbers would carry. Second derivatives come from the same walk over numbers that carry
their change along a direction; third ones from autograd, which knows all its operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from deepplp.circuit import Layers, Plan, inversion_of, layers_of
from deepplp.evaluation.kernels.extended import (
    DUAL,
    EXTENDED,
    changes,
    in_range,
    joined,
    normalised,
    seeds_by_roots,
)
from deepplp.evaluation.readings import Kind, Roots, check_chosen, read, sums_by
from deepplp.evaluation.semirings import Level, Semiring, Table, levels_of, taken, walk

__all__ = ["ReferenceWalk", "evaluate_reference", "reference_gradients", "reference_roots", "to_device"]


def to_device(array: np.ndarray, device: torch.device, dtype: torch.dtype = torch.int64) -> Tensor:
    """An index array as a tensor that autograd may keep, whatever mode the caller is in."""
    with torch.inference_mode(False):
        return torch.from_numpy(array.copy()).to(device, dtype)


@dataclass(frozen=True, slots=True, eq=False)
class _Indices:
    """A plan's index arrays on one device."""

    width: int
    batched: Tensor
    bases: Tensor
    strides: Tensor
    offsets: Tensor
    leaf_of: Tensor
    levels: tuple[Level, ...]
    roots: Tensor
    given: Tensor
    adjoints: tuple[Level, ...]
    leaf_adjoints: Level


def _indices(plan: Plan, device: torch.device) -> _Indices:
    def index(array: Tensor | np.ndarray) -> Tensor:
        return to_device(np.asarray(array), device)

    layers = layers_of(plan)
    arrays = layers.plan.arrays
    levels = [
        Level(index(level.primes), index(level.subs), index(level.node_of), level.nodes) for level in levels_of(layers)
    ]
    return _Indices(
        plan.width,
        index(arrays.strides > 0).bool(),
        index(arrays.bases),
        index(arrays.strides),
        index(arrays.offsets),
        index(np.repeat(np.arange(plan.leaves), np.diff(arrays.leaf_offsets))),
        tuple(levels),
        index(plan.leaves + arrays.roots),
        index(arrays.given),
        *_adjoint_levels(layers, index),
    )


def _adjoint_levels(layers: Layers, index: Callable[[np.ndarray], Tensor]) -> tuple[tuple[Level, ...], Level]:
    """The sums that give the derivatives by nodes, the highest level first, and those by leaves.

    Their ``primes`` are values of leaves and nodes, and their ``subs`` derivatives, which stand in a table in the order
    in which they are made: those by the roots, then level by level.
    """
    plan, bounds = layers.plan, layers.bounds
    uses, roots = inversion_of(plan).arrays, len(plan.arrays.roots)
    place = np.zeros(plan.nodes + roots, dtype=np.int64)
    place[plan.nodes :] = np.arange(roots)
    levels, made = [], roots
    for first, last in zip(bounds[-2:0:-1].tolist(), bounds[:1:-1].tolist(), strict=True):
        place[first:last] = np.arange(made, made + last - first)
        mine = slice(int(uses.node_offsets[first]), int(uses.node_offsets[last]))
        node_of = np.repeat(np.arange(last - first), np.diff(uses.node_offsets[first : last + 1]))
        parents = place[uses.node_parents[mine]]
        levels.append(Level(index(uses.node_cofactors[mine]), index(parents), index(node_of), last - first))
        made += last - first
    leaf_of = np.repeat(np.arange(plan.leaves), np.diff(uses.leaf_offsets))
    parents = place[uses.leaf_parents]
    return tuple(levels), Level(index(plan.leaves + uses.leaf_subs), index(parents), index(leaf_of), plan.leaves)


def reference_roots(plan: Plan, batched: Tensor, shared: Tensor, rows: int) -> Roots:
    """The roots of every row, differentiable any number of times.

    Arguments as for `Evaluation`; float64 inside where the device has it.
    """
    weights, indices = _prepared(plan, batched, shared)
    return _roots(_walked(weights, plan, indices, rows), indices)


def _prepared(plan: Plan, batched: Tensor, shared: Tensor) -> tuple[Tensor, _Indices]:
    """All weights as one vector in the format of the walk, and the plan's arrays on their device."""
    dtype = torch.float32 if batched.device.type == "mps" else torch.float64
    device = batched.device
    with torch.inference_mode(False):  # they are kept, for training too
        indices = plan.keep(("reference", device), lambda p: _indices(p, device))
    return torch.cat([batched.to(dtype).reshape(-1), shared.to(dtype).reshape(-1)]), indices


def _roots(values: Table, indices: _Indices) -> Roots:
    mantissas, exponents = taken(values, indices.roots)
    assert isinstance(mantissas, Tensor)
    assert isinstance(exponents, Tensor)
    return Roots(mantissas, exponents, indices.given)


def _walked(weights: Tensor, plan: Plan, indices: _Indices, rows: int, moved: Tensor | None = None) -> Table:
    """The values [rows, leaves + nodes] of all leaves and nodes, and their changes if weights ``moved``."""
    leaves: Table = _leaves(indices, plan, weights, rows)
    if moved is None:
        return walk(indices.levels, leaves, EXTENDED)
    return walk(indices.levels, (*leaves, *_leaves(indices, plan, moved, rows)), DUAL)


class _Read(torch.autograd.Function):
    """A reading of the roots as an operation of autograd, whose derivatives have extended range, too."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, walked: ReferenceWalk, kind: Kind, chosen: Tensor | None) -> Tensor:
        ctx.asked = walked, kind, chosen
        ctx.save_for_backward(weights)
        return read(walked.roots, kind, chosen)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weights,) = ctx.saved_tensors
        found: Tensor = _Gradient.apply(weights, gradient, *ctx.asked)
        return found, None, None, None


class _Gradient(torch.autograd.Function):
    """The derivatives by the weights as an operation of autograd, by the weights and by the ``gradient``.

    Its own derivative along a change of the weights is found by the same walk over numbers that carry their change: the
    matrix of second derivatives is symmetric.
    """

    @staticmethod
    def forward(
        ctx: Any, weights: Tensor, gradient: Tensor, walked: ReferenceWalk, kind: Kind, chosen: Tensor | None
    ) -> Tensor:
        ctx.asked = walked, kind, chosen
        ctx.save_for_backward(weights, gradient)
        roots, given = walked.at_roots(walked.values)
        seeds = seeds_by_roots(roots, given, kind, chosen, gradient, EXTENDED)
        return _by_weights(_adjoints(seeds, walked.values, walked, EXTENDED), weights, walked)

    @staticmethod
    def backward(ctx: Any, change: Tensor) -> tuple[Tensor | None, ...]:
        weights, gradient = ctx.saved_tensors
        walked, kind, chosen = ctx.asked
        values = _walked(weights, walked.plan, walked.indices, walked.rows, change)
        roots, given = walked.at_roots(values)
        seeds = seeds_by_roots(roots, given, kind, chosen, gradient, DUAL)
        by_leaf = _adjoints(seeds, values, walked, DUAL)
        return _by_weights(by_leaf[2:], weights, walked), changes(roots, given, kind, chosen), None, None, None


def _adjoints(seeds: Table, values: Table, walked: ReferenceWalk, semiring: Semiring) -> Table:
    """The derivatives [rows, leaf] by all leaves, from those [rows, root] by the roots."""
    indices = walked.indices
    for level in indices.adjoints:
        products = semiring.times(taken(values, level.primes), taken(seeds, level.subs))
        seeds = joined(seeds, semiring.plus(products, level.node_of, level.nodes))
    last = indices.leaf_adjoints
    products = semiring.times(taken(values, last.primes), taken(seeds, last.subs))
    return semiring.plus(products, last.node_of, last.nodes)


def _by_weights(by_leaf: Table, weights: Tensor, walked: ReferenceWalk) -> Tensor:
    """The derivatives by all weights, each of which some leaves read, as numbers of the format."""
    places = _places(walked.indices, weights, walked.rows)
    found = in_range(*by_leaf)[:, walked.indices.leaf_of]  # type: ignore[arg-type]
    return torch.zeros_like(weights).index_put((places,), found, accumulate=True)


def evaluate_reference(plan: Plan, batched: Tensor, shared: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
    """Log-probabilities and probabilities of the queries given the evidence, each [batch, query].

    Arguments as for `Evaluation`. Differentiable any number of times.
    """
    walked = ReferenceWalk(plan, batched, shared, batched.shape[0] if rows is None else rows)
    return walked.reading("log_probs", None), walked.reading("probs", None)


class ReferenceWalk:
    """The roots of every row of a batch, and differentiable readings of them.

    Arguments as for `Evaluation`.
    """

    def __init__(self, plan: Plan, batched: Tensor, shared: Tensor, rows: int) -> None:
        self.plan = plan
        self.rows = rows
        self._weights, self.indices = _prepared(plan, batched, shared)
        with torch.no_grad():
            self.values = _walked(self._weights, plan, self.indices, rows)
            self.roots = _roots(self.values, self.indices)

    def at_roots(self, values: Table) -> tuple[Table, Tensor]:
        """The values of the roots, and the place of that which each query is given."""
        return taken(values, self.indices.roots), self.indices.given

    def read(self, kind: Kind, chosen: Tensor | None, dtype: torch.dtype) -> Tensor:
        """A reading (see `readings.read`); a chosen query that there is not is an IndexError."""
        if chosen is not None:
            check_chosen(chosen, self.plan.queries)
        return self.reading(kind, chosen).to(dtype)

    def reading(self, kind: Kind, chosen: Tensor | None) -> Tensor:
        """A reading in the walk's own format, differentiable any number of times."""
        if forward_ad._current_level >= 0:  # tangents pass through operations that autograd knows
            roots = _roots(_walked(self._weights, self.plan, self.indices, self.rows), self.indices)
            return read(roots, kind, chosen)
        if not (self._weights.requires_grad and torch.is_grad_enabled()):
            return read(self.roots, kind, chosen)
        found: Tensor = _Read.apply(self._weights, self, kind, chosen)
        return found

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        return self.roots.impossible_rows()


def _places(indices: _Indices, weights: Tensor, rows: int) -> Tensor:
    """The place [batch, entry] of the weight that each entry of a leaf reads, among those of all rows."""
    row = torch.arange(rows, device=weights.device).unsqueeze(1)
    in_row = indices.bases * rows + row * indices.strides + indices.offsets
    return torch.where(indices.batched, in_row, rows * indices.width + indices.offsets)


def _leaves(indices: _Indices, plan: Plan, weights: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """The leaves [batch, leaf], sums of weights."""
    leaf = sums_by(weights[_places(indices, weights, rows)], indices.leaf_of, plan.leaves)
    return normalised(leaf, torch.zeros_like(leaf))


def reference_gradients(
    plan: Plan,
    batched: Tensor,
    shared: Tensor,
    rows: int,
    kind: Kind,
    chosen: Tensor | None,
    gradient: Tensor,
    *,
    create_graph: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """The loss's derivatives by ``batched`` and ``shared``, None for one that requires no gradient.

    ``gradient`` are its derivatives by a reading. With ``create_graph`` the derivatives can be differentiated again.
    """
    with torch.enable_grad():
        inputs = [x for x in (batched, shared) if x.requires_grad]
        found = ReferenceWalk(plan, batched, shared, rows).reading(kind, chosen)
        gradients = iter(torch.autograd.grad(found, inputs, gradient.to(found.dtype), create_graph=create_graph))
    return next(gradients) if batched.requires_grad else None, next(gradients) if shared.requires_grad else None
