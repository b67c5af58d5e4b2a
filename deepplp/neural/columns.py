"""What a network's argument is for all rows: a tensor, a list of tensors, or Python values.

A *column* is one argument of a network: a tensor [rows, …], a `TensorList` (a list of tensors as one argument, each
[rows, …]), or `Values`, one Python value a row. Columns of one signature can be joined, so that a network is called
once on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deepplp.errors import BatchSizeError

__all__ = [
    "Column",
    "TensorList",
    "Values",
    "aligned",
    "are_alike",
    "argument",
    "joined",
    "row_count",
    "shape_text",
    "signature",
]


@dataclass(frozen=True, slots=True)
class TensorList:
    """A list of tensors [rows, …] that is one argument of a network."""

    items: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.items[0]) if self.items else 1


@dataclass(frozen=True, slots=True)
class Values:
    """One Python value a row: numbers, texts, and lists of them."""

    items: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.items)


Column = Tensor | TensorList | Values


def row_count(column: Column) -> int:
    """The number of rows: ``len``, which takes a tensor several times as long."""
    return column.shape[0] if isinstance(column, Tensor) else len(column)


def are_alike(columns: Sequence[Column]) -> bool:
    """Whether all columns have one signature and one number of rows."""
    first = columns[0]
    if isinstance(first, Tensor):
        shape, dtype, device = first.shape, first.dtype, first.device
        for c in columns[1:]:  # a generator would take twice as long
            if not (isinstance(c, Tensor) and c.shape == shape and c.dtype is dtype and c.device == device):
                return False
        return True
    kind, rows = signature(first), len(first)
    return all(len(c) == rows and signature(c) == kind for c in columns[1:])


def signature(column: Column) -> tuple[Any, ...]:
    """What must agree for two columns to be joined."""
    if isinstance(column, Tensor):
        return column.shape[1:], column.dtype, column.device
    if isinstance(column, TensorList):
        return tuple(signature(item) for item in column.items)
    return ("values",)


def joined(columns: Sequence[Column]) -> Column:
    """Columns of one signature, one after another."""
    first = columns[0]
    if len(columns) == 1:
        return first
    if isinstance(first, Tensor):
        return torch.cat([c for c in columns if isinstance(c, Tensor)])
    if isinstance(first, TensorList):
        lists = [c.items for c in columns if isinstance(c, TensorList)]
        return TensorList(tuple(torch.cat(items) for items in zip(*lists, strict=True)))
    return Values(tuple(item for c in columns if isinstance(c, Values) for item in c.items))


def _repeated(column: Column, rows: int) -> Column:
    """A column of one row as one of ``rows`` rows."""
    if isinstance(column, Tensor):
        return column.expand(rows, *column.shape[1:])
    if isinstance(column, TensorList):
        return TensorList(tuple(t.expand(rows, *t.shape[1:]) for t in column.items))
    return Values(column.items * rows)


def aligned(columns: Sequence[Column]) -> list[Column]:
    """Repeat columns of one row to the number of rows of the others."""
    sizes = {len(c) for c in columns} - {1}
    if len(sizes) > 1:
        listed = ", ".join(str(len(c)) for c in columns)
        raise BatchSizeError(f"the batch sizes of a network's inputs disagree ({listed}); they must be equal, or 1")
    rows = sizes.pop() if sizes else 1
    return [c if len(c) == rows else _repeated(c, rows) for c in columns]


def argument(column: Column) -> Any:
    """What the network's module is given: the tensor, or a list."""
    return column if isinstance(column, Tensor) else list(column.items)


def shape_text(column: Column) -> str:
    """A column's shape, for messages."""
    if isinstance(column, Tensor):
        return str(list(column.shape))
    if isinstance(column, TensorList):
        return f"a list of {len(column.items)} tensors ({', '.join(str(list(t.shape)) for t in column.items[:3])})"
    return f"{len(column.items)} Python values ({', '.join(map(repr, column.items[:3]))})"
