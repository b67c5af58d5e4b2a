"""Tensor functions that a program may call, such as ``rbf(A, B, P)``: each works on all rows at once.

They are those of DeepProbLog (Manhaeve et al., AIJ 2021), with a leading batch axis: a function of vectors is a
function of tensors [rows, …] here, row by row. What is made of no tensor is told the device to make it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

__all__ = ["TENSOR_FUNCTIONS", "TensorFunction"]

TensorFunction = Callable[..., Tensor]


def _flat(x: Tensor) -> Tensor:
    return x.reshape(len(x), -1)


def _broadcast(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Give the tensor with fewer axes trailing ones: rows stand under rows."""
    while x.ndim < y.ndim:
        x = x.unsqueeze(-1)
    while y.ndim < x.ndim:
        y = y.unsqueeze(-1)
    return x, y


def _same_shape(name: str, x: Tensor, y: Tensor) -> None:
    """Check that two tensors hold as much a row; [rows] and [rows, 1] hold one number each."""
    if x.shape[1:] != y.shape[1:] and not x.shape[1:].numel() == y.shape[1:].numel() == 1:
        raise ValueError(f"{name} needs tensors of one shape, not {list(x.shape)} and {list(y.shape)}")


def _rbf(x: Tensor, y: Tensor) -> Tensor:
    """exp(-|x - y|), [rows]: how close two vectors are."""
    _same_shape("rbf", x, y)
    # The derivative of a norm at 0 is not defined; 0, as here, is the one that keeps equal vectors where they are.
    squares = (_flat(x) - _flat(y)).square().sum(dim=1)
    apart = squares > 0
    return torch.where(apart, torch.exp(-torch.where(apart, squares, torch.ones_like(squares)).sqrt()), 1.0)


def _dot(x: Tensor, y: Tensor) -> Tensor:
    """The inner product, [rows]."""
    _same_shape("dot", x, y)
    return (_flat(x) * _flat(y)).sum(dim=1)


def _add(x: Tensor, y: Tensor) -> Tensor:
    x, y = _broadcast(x, y)
    return x + y


def _mul(x: Tensor, y: Tensor) -> Tensor:
    x, y = _broadcast(x, y)
    return x * y


def _stack(xs: list[Tensor] | Tensor) -> Tensor:
    """[rows, n, …] from n tensors [rows, …]; where some are [rows] and others [rows, 1], all count as [rows]."""
    if isinstance(xs, Tensor):
        return xs
    if all(x.shape[1:].numel() == 1 for x in xs) and len({x.shape for x in xs}) > 1:
        xs = [x.reshape(len(x)) for x in xs]
    return torch.stack(xs, dim=1)


def _cat(xs: list[Tensor] | Tensor) -> Tensor:
    """[rows, n1 + n2 + …] from tensors [rows, ni]; scalars count as one entry."""
    if isinstance(xs, Tensor):
        return xs
    return torch.cat([x.unsqueeze(1) if x.ndim == 1 else x for x in xs], dim=1)


def _mean(xs: list[Tensor] | Tensor) -> Tensor:
    """The mean of several tensors, entry by entry."""
    return _stack(xs).mean(dim=1)


def _max(xs: list[Tensor] | Tensor) -> Tensor:
    """The maximum of several tensors, entry by entry."""
    return _stack(xs).amax(dim=1)


def _one_hot(*, parameters: tuple[Any, ...], device: torch.device) -> Tensor:
    """The unit vector ``parameters[0]`` of ``parameters[1]`` entries, [1, n]."""
    index, size = parameters
    if not (isinstance(index, int) and isinstance(size, int) and 0 <= index < size):
        raise ValueError(f"one_hot({index}, {size}) needs two integers, the first from 0 and below the second")
    return torch.nn.functional.one_hot(torch.tensor([index], device=device), size).to(torch.get_default_dtype())


def _index(x: Tensor, *, parameters: tuple[Any, ...]) -> Tensor:
    """One entry of every row's tensor, or the part at a list of leading indices."""
    (place,) = parameters
    indices = place if isinstance(place, list) else [place]
    if not all(isinstance(i, int) for i in indices):
        raise ValueError(f"tensor_index needs integers, not {place}")
    return x[(slice(None), *indices)]


TENSOR_FUNCTIONS: Mapping[str, TensorFunction] = MappingProxyType(
    {
        "rbf": _rbf,
        "dot": _dot,
        "add": _add,
        "mul": _mul,
        "max": _max,
        "mean": _mean,
        "sigmoid": torch.sigmoid,
        "stack": _stack,
        "cat": _cat,
        "list_to_tensor": _stack,
        "one_hot": _one_hot,
        "tensor_index": _index,
    }
)
