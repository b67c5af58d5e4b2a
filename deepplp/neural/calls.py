"""Inputs → weights: every network is called once a batch, on all its distinct inputs together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from deepplp.errors import (
    DeepPLPError,
    InputError,
    NetworkInputError,
    NetworkOutputError,
    Position,
)
from deepplp.neural.columns import (
    Column,
    Values,
    aligned,
    are_alike,
    argument,
    joined,
    row_count,
    shape_text,
    signature,
)
from deepplp.neural.network import Kind, Network

__all__ = [
    "ROW_SUM_TOLERANCE",
    "NetworkCall",
    "Slot",
    "SlotOutput",
    "call_network",
    "checked_output",
    "network_outputs",
    "within",
]

ROW_SUM_TOLERANCE = 1e-3  # at least: see `_tolerance`
NEGATIVE_TOLERANCE = 1e-6  # rounding may leave 1 - p or an exponential a hair below zero

RowCheck = Callable[[Tensor, float, float], bool]
"""Whether all rows [rows, values] are distributions, given the tolerances for their sum and for negative entries."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a network decides on some of its inputs, and who asks for it.

    ``kind`` is "categorical" for one distribution over ``values``, "bernoulli" for one probability, and "independent"
    for a probability of each of ``values`` labels. ``key`` tells one slot from another. ``width`` is the number of
    weights a row: a probability and what it leaves of 1 for each label, or one a value.
    """

    inputs: tuple[str, ...]
    values: int
    kind: Kind
    declaration: str
    position: Position
    key: tuple[tuple[str, ...], int, Kind] = field(init=False, repr=False, compare=False)
    width: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.inputs, self.values, self.kind))
        object.__setattr__(self, "width", 2 * self.values if self.kind == "independent" else self.values)


@dataclass(frozen=True, slots=True)
class NetworkCall:
    """All that a query asks of one network.

    ``columns`` are the inputs' names by the network's arguments, where the slots are ``uniform``: as many inputs each,
    and outputs of one kind.
    """

    network: str
    slots: tuple[Slot, ...]
    columns: tuple[tuple[str, ...], ...] = field(init=False)
    uniform: bool = field(init=False)

    def __post_init__(self) -> None:
        first = self.slots[0]
        alike = all(
            (s.values, s.kind, len(s.inputs)) == (first.values, first.kind, len(first.inputs)) for s in self.slots
        )
        object.__setattr__(self, "uniform", alike and bool(first.inputs))
        object.__setattr__(self, "columns", tuple(zip(*(s.inputs for s in self.slots), strict=True)) if alike else ())


class SlotOutput(NamedTuple):
    """The weights [slots * rows, width] of some of a call's slots, the rows of one slot after another.

    ``cut`` [slots * rows] is the mass of the values that a network's ``k`` leaves out, None where it has none.
    """

    weights: Tensor
    slots: int
    cut: Tensor | None = None


def network_outputs(
    call: NetworkCall, network: Network, inputs: Mapping[str, Column], are_distributions: RowCheck
) -> list[SlotOutput]:
    """The weights of a call's slots, in their order.

    One output spans all slots where their inputs and values are alike, and then it is the network's own output.
    ``are_distributions`` checks it, as fast as the caller knows how.
    """
    arguments = _columns(call, inputs)
    if arguments is not None:  # the common case: one call, and its output as it is
        first, count = call.slots[0], len(call.slots)
        raw = call_network(call.network, network, arguments, first.declaration, first.position)
        return [checked_output(call, network, raw, row_count(arguments[0]) // count, are_distributions)]
    outputs, tolerances = _grouped_outputs(call, network, inputs)
    for i, slot in enumerate(call.slots):
        if not are_distributions(_pairs(outputs[i], slot), tolerances[i], 0.0):
            count = len(outputs[i])
            outputs[i] = _mended(call.network, network, outputs[i], [slot], [count], are_distributions, tolerances[i])
    return [_most_probable(outputs[i], network.k, slot, 1) for i, slot in enumerate(call.slots)]


def checked_output(
    call: NetworkCall, network: Network, raw: Tensor, rows: int, are_distributions: RowCheck
) -> SlotOutput:
    """The weights of all slots of a uniform call, from what the network returned for ``rows`` rows of each."""
    first, count = call.slots[0], len(call.slots)
    _check_shape(call.network, raw, rows * count, first)
    weights = network.to_probabilities(raw, first.kind)
    tolerance = _tolerance(raw)
    if not are_distributions(_pairs(weights, first), tolerance, 0.0):
        weights = _mended(call.network, network, weights, call.slots, [rows] * count, are_distributions, tolerance)
    return _most_probable(weights, network.k, first, count)


def _mended(
    name: str,
    network: Network,
    weights: Tensor,
    slots: Sequence[Slot],
    rows: list[int],
    are_distributions: RowCheck,
    tolerance: float,
) -> Tensor:
    """Weights that rounding took out of their range, moved back into it; an error for all others."""
    if not are_distributions(_pairs(weights, slots[0]), tolerance, NEGATIVE_TOLERANCE):
        _raise_for_rows(name, network, weights, slots, rows, tolerance)
    return within(weights, None if slots[0].kind == "categorical" else 1.0)


def _tolerance(raw: Tensor) -> float:
    """How far from one a row of a network's output may sum: bfloat16 rounds each entry to eight bits.

    Under autocast a network computes in a narrower type, also where it returns a wider one.
    """
    eps = torch.finfo(raw.dtype).eps
    kind = raw.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        eps = max(eps, torch.finfo(torch.get_autocast_dtype(kind)).eps)
    return max(ROW_SUM_TOLERANCE, eps)


def within(weights: Tensor, most: float | None = 1.0) -> Tensor:
    """Weights moved to between 0 and ``most``; derivatives are those at the place where they are moved to.

    For numbers that only rounding took out of the range: a network must go on learning there.
    """
    given = weights.detach()
    return weights + (given.clamp(0.0, most) - given)


def _pairs(weights: Tensor, slot: Slot) -> Tensor:
    """Weights as distributions, one a row: those of independent labels are pairs."""
    return weights.reshape(-1, 2) if slot.kind == "independent" else weights


def _most_probable(probabilities: Tensor, k: int | None, slot: Slot, slots: int) -> SlotOutput:
    """The probabilities with all but the k largest of each row set to 0, and the mass that this cuts off."""
    if k is None or slot.kind != "categorical" or k >= slot.values:
        return SlotOutput(probabilities, slots)
    largest = probabilities.detach().topk(k, dim=1).indices
    kept = torch.zeros_like(probabilities).scatter(1, largest, 1.0)
    return SlotOutput(probabilities * kept, slots, (probabilities * (1 - kept)).sum(dim=1))


def _columns(call: NetworkCall, inputs: Mapping[str, Column]) -> list[Column] | None:
    """A call's arguments, the slots' inputs joined; None where slots or inputs are not alike."""
    if not call.uniform:
        return None
    arguments: list[Column] = []
    rows = -1
    for names in call.columns:
        first = inputs[names[0]]
        count = first.shape[0] if isinstance(first, Tensor) else len(first)
        if rows not in (-1, count):
            return None
        rows = count
        if len(names) > 1:
            columns = [inputs[name] for name in names]
            if not are_alike(columns):
                return None
            first = joined(columns)
        arguments.append(first)
    return arguments


def _grouped_outputs(
    call: NetworkCall, network: Network, inputs: Mapping[str, Column]
) -> tuple[dict[int, Tensor], dict[int, float]]:
    """The probabilities of every slot, where inputs differ in shape or type, or slots in their values.

    With them, how far from one their rows may sum.
    """
    arguments = [aligned([inputs[name] for name in slot.inputs]) for slot in call.slots]
    outputs: dict[int, Tensor] = {}
    tolerances: dict[int, float] = {}
    for members in _alike(arguments):
        together = [joined(column) for column in zip(*(arguments[i] for i in members), strict=True)]
        rows = [len(arguments[i][0]) if arguments[i] else 1 for i in members]
        first = call.slots[members[0]]
        raw = call_network(call.network, network, together, first.declaration, first.position)
        for i in members:
            _check_shape(call.network, raw, sum(rows), call.slots[i])
        for i, piece in zip(members, torch.split(raw, rows), strict=True):
            outputs[i] = network.to_probabilities(piece, call.slots[i].kind)
            tolerances[i] = _tolerance(raw)
    return outputs, tolerances


def _alike(arguments: list[list[Column]]) -> list[list[int]]:
    """Group the slots whose inputs can be joined: all of them, unless shapes or types differ."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, columns in enumerate(arguments):
        groups.setdefault(tuple(map(signature, columns)), []).append(i)
    return list(groups.values())


def call_network(
    name: str, network: Network, arguments: Sequence[Column], declaration: str, position: Position | None
) -> Tensor:
    """Call a network; what goes wrong inside it is an error that names it and its inputs."""
    for column in arguments:
        if type(column) is Values and network.inputs != "values":
            raise InputError(
                f"network {name!r} takes tensors, and is given {shape_text(column)}; if it takes Python values, say "
                f"so: deepplp.Network({name}, inputs='values')",
                position,
            )
    try:
        raw = network.module(*map(argument, arguments))
    except DeepPLPError:
        raise  # of a model within the network
    except Exception as error:
        shapes = ", ".join(map(shape_text, arguments))
        kinds = {str(a.dtype) for a in arguments if isinstance(a, Tensor)}
        raise NetworkInputError(
            f"network {name!r} failed on inputs of shape {shapes}{f' ({kinds.pop()})' if len(kinds) == 1 else ''}: "
            f"{_reason(error)}{_hint(arguments, error)}"
            if arguments
            else f"network {name!r} failed: {_reason(error)}",
            position,
        ) from error
    if not isinstance(raw, Tensor):
        raise NetworkOutputError(
            f"network {name!r} returned {type(raw).__name__}; {declaration} needs one tensor", position
        )
    if torch._C._functorch.is_functorch_wrapped_tensor(raw):
        raise NetworkOutputError(
            f"network {name!r} is differentiated or batched by torch.func (grad, jacrev, jvp, vmap), which cannot look "
            "into a query; use backward(), torch.autograd.grad or dual numbers, and the batch axis of the inputs",
            position,
        )
    if raw.layout is not torch.strided or raw.is_nested or raw.device.type == "meta" or raw.dtype.itemsize == 1:
        kind = _kind_without_values(raw)
        if kind is not None:
            raise NetworkOutputError(f"network {name!r} returned {kind}, for {declaration}", position)
    return raw


def _kind_without_values(raw: Tensor) -> str | None:
    """What a tensor is from which no probabilities can be read, and what to return instead."""
    if raw.is_nested:
        return "a nested tensor, whose rows may have unlike lengths; return a dense one (.to_padded_tensor(0))"
    if raw.layout is not torch.strided:
        return "a sparse tensor; return a dense one (.to_dense())"
    has_values = raw.device.type != "meta" or type(raw) not in (Tensor, torch.nn.Parameter)  # a subclass may hold some
    if not has_values:
        return "a tensor on the device 'meta', which has no values; move the network to another device"
    if raw.is_floating_point() and raw.dtype.itemsize == 1:
        return f"{raw.dtype}, too coarse for probabilities; return a wider type (.float())"
    return None


def _reason(error: Exception) -> str:
    """What an exception says, or what it is where it says nothing."""
    if isinstance(error, KeyError):
        return f"no entry {error}"
    return str(error) or f"it raised {type(error).__name__}"


_ONE_EXAMPLE = "; inputs are [batch, …], and one example gets its batch axis by .unsqueeze(0)"


def _hint(arguments: Sequence[Column], error: Exception) -> str:
    """What to say where a type is the fault, or the shapes look as if an example came without a batch axis."""
    tensors = [a for a in arguments if isinstance(a, Tensor)]
    if not isinstance(error, (RuntimeError, IndexError)):  # torch raises the second where there is no axis 1
        return ""
    default = torch.get_default_dtype()
    if "dtype" in str(error) and any(t.dtype != default for t in tensors):
        return f"; the input is {', '.join(sorted({str(t.dtype) for t in tensors}))}: give {default}, by .to({default})"
    unbatched = "atched" in str(error) or (tensors and all(t.ndim in (1, 3) for t in tensors))
    return _ONE_EXAMPLE if unbatched else ""


def _check_shape(name: str, raw: Tensor, rows: int, slot: Slot) -> None:
    shape = tuple(raw.shape)
    if slot.kind == "bernoulli":
        right = shape in ((rows,), (rows, 1))
        wanted, why = f"[{rows}] or [{rows}, 1]", "one probability an example"
    else:
        right = shape == (rows, slot.values)
        wanted, why = f"[{rows}, {slot.values}]", f"its domain has {slot.values} values"
    if not right:
        raise NetworkOutputError(
            f"network {name!r} returned a tensor of shape {list(shape)}, but {slot.declaration} needs {wanted}: {why}"
            + (_ONE_EXAMPLE if raw.ndim < 2 <= slot.values or (shape and shape[0] != rows) else ""),
            slot.position,
        )
    if not raw.is_floating_point():
        raise NetworkOutputError(
            f"network {name!r} returned {raw.dtype}; probabilities must be floating point (try .float())",
            slot.position,
        )


def _columns_sum_to_one(p: Tensor) -> bool:
    """Whether a softmax seems to have gone over the batch."""
    return len(p) > 1 and bool(((p.double().sum(dim=0) - 1).abs() < 1e-4).all())


def _raise_for_rows(
    name: str, network: Network, weights: Tensor, slots: Sequence[Slot], rows: list[int], tolerance: float
) -> None:
    """Raise for the first row that is no distribution."""
    p = _pairs(weights.detach(), slots[0])
    faults = (
        (~torch.isfinite(p).all(dim=1), "is not finite (NaN or infinity)"),
        ((p < -NEGATIVE_TOLERANCE).any(dim=1), "has a negative entry"),
        ((p.double().sum(dim=1) - 1).abs() > tolerance, "does not sum to one"),
    )
    bad, reason = next(fault for fault in faults if fault[0].any())
    place = int(bad.nonzero()[0])
    row = place // (slots[0].values if slots[0].kind == "independent" else 1)
    slot, local = next((s, row - sum(rows[:i])) for i, s in enumerate(slots) if row < sum(rows[: i + 1]))
    shown = ", ".join(f"{x:.6g}" for x in p[place][:10].tolist()) + (", …" if p.shape[1] > 10 else "")
    if slot.kind != "categorical" and reason == "has a negative entry":
        reason = "is not between 0 and 1"
        shown = f"{float(p[place][0]):.6g}"
    advice = ""
    if network.output == "probabilities" and "finite" not in reason:
        advice = "; if it returns logits, say so: deepplp.Network(net, output='logits')"
        if reason == "does not sum to one" and _columns_sum_to_one(p):
            advice = ", but each column over the rows of the batch does: the softmax is over values, Softmax(dim=1)"
    raise NetworkOutputError(
        f"network {name!r}, input {', '.join(slot.inputs)}, row {local}: the output [{shown}] read as "
        f"{network.output.replace('_', '-')} for {slot.declaration} {reason}{advice}",
        slot.position,
    )
