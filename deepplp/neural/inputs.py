"""The inputs of a call: tensors with a batch axis, and lists of Python values, one a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from deepplp.errors import BatchSizeError, InputError, MissingInputError
from deepplp.neural.columns import Column, Values, row_count

__all__ = ["batch_size", "checked_inputs"]

_NOTHING: Mapping[str, Tensor] = {}


def checked_inputs(
    given: Mapping[str, object],
    names: Iterable[str],
    *,
    only_used: bool,
    sizing: Sequence[str] = (),
    sized: Mapping[str, Tensor] = _NOTHING,
) -> tuple[dict[str, Column], int]:
    """The inputs of these names as columns, and the batch size, which those of ``sized`` share.

    All that is given tells the batch size; with ``only_used``, what is given beside the names and those of ``sizing``
    is not looked at.
    """
    try:
        wanted = {name: given[name] for name in names}
    except KeyError as error:
        listed = ", ".join(map(str, given)) or "none"
        raise MissingInputError(f"the input {error.args[0]!r} is not given; there are: {listed}") from None
    looked_at = given
    if only_used:
        looked_at = {**wanted, **{name: given[name] for name in sizing if name in given}} if sizing else wanted
    columns = _columns(looked_at)
    used = columns if len(columns) == len(wanted) else {name: columns[name] for name in wanted}
    return used, batch_size({**columns, **sized} if sized else columns)


def batch_size(inputs: Mapping[str, Column]) -> int:
    """The size of the leading axes, which must agree or be 1; 1 where there is no input."""
    sizes = {row_count(column) for column in inputs.values()} - {1}
    if len(sizes) > 1:
        listed = ", ".join(f"{name}: {row_count(column)}" for name, column in inputs.items())
        raise BatchSizeError(f"the inputs' batch sizes disagree ({listed}); they must be equal, or 1")
    return sizes.pop() if sizes else 1


def _columns(inputs: Mapping[str, object]) -> dict[str, Column]:
    """Check that every input is a tensor (or becomes one) with a batch axis, or a list of Python values."""
    if not isinstance(inputs, Mapping):
        raise InputError(f"inputs is a mapping from names to tensors, not a {type(inputs).__name__}")
    columns: dict[str, Column] = {}
    for name, value in inputs.items():
        if not isinstance(name, str):
            raise InputError(f"inputs are named by strings, not by {name!r}")
        column = value if isinstance(value, Tensor) else _converted(name, value)
        if isinstance(column, Tensor) and column.ndim == 0:
            raise InputError(f"input {name!r} is a scalar; give it a leading batch axis, e.g. with .reshape(1)")
        columns[name] = column
    return columns


def _converted(name: str, value: object) -> Column:
    """A list of numbers, or an array of them, as a tensor; a list of anything else as Python values."""
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        items = value.tolist() if type(value).__name__ == "ndarray" else value  # type: ignore[attr-defined]
        if isinstance(items, (list, tuple)):
            return Values(tuple(items))
    raise InputError(
        f"input {name!r} is a {type(value).__name__}; give a tensor [batch, …], or for a network that takes Python "
        "values a list of them, one a row"
    )
