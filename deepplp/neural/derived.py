"""Tensors that networks (nn/3) and functions compute from tensors, and lists of tensors, in order of dependence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from deepplp.errors import InputError, NetworkInputError, NetworkOutputError, Position
from deepplp.neural.arithmetic import RowFaultError, row_numbers
from deepplp.neural.calls import call_network
from deepplp.neural.columns import Column, TensorList, Values, aligned, argument, joined, shape_text, signature
from deepplp.neural.network import Network
from deepplp.neural.tensor_functions import TENSOR_FUNCTIONS

__all__ = ["DerivedTensor", "add_derived_tensors"]


@dataclass(frozen=True, slots=True)
class DerivedTensor:
    """What a ``network`` or tensor ``function`` makes of named inputs, their ``list``, or one of them by another name.

    ``arithmetic`` is an expression of numbers, one a row, whose steps are the only parameter. Inputs may be derived
    themselves.

    ``level`` is how deep it stands; ``parameters`` are what a function takes besides tensors, such as an index.
    """

    name: str
    kind: Literal["network", "function", "arithmetic", "list", "alias"]
    computation: str
    inputs: tuple[str, ...]
    level: int
    position: Position | None
    parameters: tuple[Any, ...] = ()


def add_derived_tensors(
    derived: Sequence[DerivedTensor],
    networks: Callable[[str], Network],
    tensors: dict[str, Column],
    device: torch.device,
) -> None:
    """Compute derived tensors and add them to ``tensors``: one call a network and level, on all its inputs together.

    ``networks`` gives a network by its name, and ``device`` is for what is made of no tensor.
    """
    groups: dict[tuple[object, ...], list[DerivedTensor]] = {}
    for tensor in sorted(derived, key=lambda d: d.level):
        key = (tensor.level, tensor.kind, tensor.computation, repr(tensor.parameters))
        groups.setdefault(key, []).append(tensor)
    for members in groups.values():
        if members[0].kind in ("list", "alias"):
            for member in members:
                tensors[member.name] = _listed(member, tensors) if member.kind == "list" else tensors[member.inputs[0]]
            continue
        alike: dict[tuple[object, ...], list[tuple[DerivedTensor, list[Column]]]] = {}
        for member in members:
            columns = aligned([tensors[name] for name in member.inputs])
            alike.setdefault(tuple(map(signature, columns)), []).append((member, columns))
        for batch in alike.values():
            together = [joined(column) for column in zip(*(c for _, c in batch), strict=True)]
            rows = [len(c[0]) if c else 1 for _, c in batch]
            if members[0].kind == "arithmetic":
                output = _calculated([member for member, _ in batch], together, rows)
            else:
                output = _computed(batch[0][0], networks, together, sum(rows), device)
            if len(batch) > 1 and not together:
                output = output.expand(len(batch), *output.shape[1:])
            for (member, _), piece in zip(batch, torch.split(output, rows), strict=True):
                tensors[member.name] = piece


def _listed(tensor: DerivedTensor, tensors: Mapping[str, Column]) -> TensorList:
    items = [tensors[name] for name in tensor.inputs]
    return TensorList(tuple(item for item in aligned(items) if isinstance(item, Tensor)))


def _calculated(members: Sequence[DerivedTensor], columns: Sequence[Column], rows: Sequence[int]) -> Tensor:
    """The numbers [rows] of one expression for several members, whose ``rows`` follow one another."""
    try:
        return row_numbers(members[0].parameters[0], columns)
    except RowFaultError as fault:
        row, member = fault.row, members[0]
        if row is not None and len(columns):
            for member, count in zip(members, rows, strict=True):  # noqa: B007 (the one whose row it is)
                if row < count:
                    break
                row -= count
        raise _number_fault(member, fault, row) from None


def _number_fault(member: DerivedTensor, fault: RowFaultError, row: int | None) -> InputError | NetworkOutputError:
    where = "" if row is None else f" in row {row}"
    if fault.tensor is None:
        return InputError(f"this {fault.what}{where}{fault.advice}", member.position)
    name = member.inputs[fault.tensor]
    kind = NetworkOutputError if name.startswith("tensor(nn(") else InputError
    if row is not None:
        instead = "which is neither above nor below nor equal to a number; fill such rows in, or leave them out"
    else:
        instead = "where arithmetic and comparisons need one number a row, [batch] or [batch, 1]"
        instead += "; tensor_index(T, 0, X) takes an entry" if "shape" in fault.what else ""
    return kind(f"{name} {fault.what}{where}, {instead}", member.position)


def _computed(
    first: DerivedTensor, networks: Callable[[str], Network], columns: list[Column], rows: int, device: torch.device
) -> Tensor:
    """The output [rows, …] of the network or function of a group of tensors."""
    if first.kind == "function":
        return _called(first, columns, device)
    output = call_network(first.computation, networks(first.computation), columns, first.name, first.position)
    if output.ndim == 0 or len(output) != (rows if columns else 1):
        raise NetworkOutputError(
            f"network {first.computation!r} returned a tensor of shape {list(output.shape)} for {rows} rows; "
            "an nn/3 network keeps the leading batch axis",
            first.position,
        )
    return output


def _called(tensor: DerivedTensor, columns: list[Column], device: torch.device) -> Tensor:
    function = TENSOR_FUNCTIONS[tensor.computation]
    for column in columns:
        if isinstance(column, Values):
            what = f"{tensor.computation} takes tensors, and is given {shape_text(column)}"
            raise NetworkInputError(what, tensor.position)
    given: dict[str, Any] = {"parameters": tensor.parameters} if tensor.parameters else {}
    if not columns:
        given["device"] = device
    try:
        return function(*map(argument, columns), **given)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        shapes = ", ".join(map(shape_text, columns)) or "no tensors"
        raise NetworkInputError(f"{tensor.computation} failed on {shapes}: {error}", tensor.position) from error
