"""Tensors that networks compute from tensors (nn/3), in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deepplp.errors import NetworkOutputError, Position
from deepplp.neural.calls import aligned, call_network
from deepplp.neural.network import Network

__all__ = ["DerivedTensor", "add_derived_tensors"]


@dataclass(frozen=True, slots=True)
class DerivedTensor:
    """The output of a network on named inputs, some of which may be derived themselves; ``level`` is how deep."""

    name: str
    network: str
    inputs: tuple[str, ...]
    level: int
    position: Position | None


def add_derived_tensors(
    derived: Sequence[DerivedTensor], networks: Mapping[str, Network], tensors: dict[str, Tensor]
) -> None:
    """Compute derived tensors and add them to ``tensors``: one call a network and level, on all its inputs together."""
    groups: dict[tuple[object, ...], list[DerivedTensor]] = {}
    for tensor in sorted(derived, key=lambda d: d.level):
        groups.setdefault((tensor.level, tensor.network), []).append(tensor)
    for members in groups.values():
        alike: dict[tuple[object, ...], list[tuple[DerivedTensor, list[Tensor]]]] = {}
        for member in members:
            arguments = aligned([tensors[name] for name in member.inputs])
            shape = tuple((a.shape[1:], a.dtype, a.device) for a in arguments)
            alike.setdefault(shape, []).append((member, arguments))
        for batch in alike.values():
            together = [torch.cat(column) for column in zip(*(a for _, a in batch), strict=True)]
            rows = [len(a[0]) if a else 1 for _, a in batch]
            first = batch[0][0]
            output = call_network(first.network, networks[first.network], together, first.name, first.position)
            if output.ndim == 0 or len(output) != sum(rows):
                raise NetworkOutputError(
                    f"network {first.network!r} returned a tensor of shape {list(output.shape)} for {sum(rows)} rows; "
                    "an nn/3 network keeps the leading batch axis",
                    first.position,
                )
            for (member, _), piece in zip(batch, torch.split(output, rows), strict=True):
                tensors[member.name] = piece
