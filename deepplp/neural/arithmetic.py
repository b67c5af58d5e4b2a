"""Arithmetic and comparisons of numbers that differ from row to row: expressions in postfix order, on all rows at once.

Numbers of the program take the type of the tensors that they stand beside, as in torch; that is float32 at least.
Integers and truth values are computed in float64, in which they are exact up to 2**53.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from deepplp.neural.columns import Column, TensorList, shape_text

__all__ = ["EQUALITY_TOLERANCE", "ROW_ARITHMETIC", "RowFaultError", "row_numbers"]

EQUALITY_TOLERANCE = 1e-6
"""Numbers that differ by no more than this, or than this part of the larger one, are equal; integers are exact."""

_EXACT_INTEGERS = 1 << 53  # as float64
_WHOLE = frozenset({"+", "-", "*", "abs", "min", "max", "<", "=:="})  # of integers they make integers

Step = tuple[str, Any, int]


class RowFaultError(ValueError):
    """A number that is none.

    It is that of a ``tensor``, by its number among the columns, or (None) of all of the expression. ``row`` is None
    where all rows are at fault.
    """

    def __init__(self, what: str, tensor: int | None = None, row: int | None = None, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.tensor = tensor
        self.row = row


def row_numbers(steps: Sequence[Step], columns: Sequence[Column]) -> Tensor:
    """The value [rows] of an expression; a comparison is 1.0 where it holds and 0.0 elsewhere, without a gradient.

    A soft comparison is a probability in float64, with gradients. ``steps`` are ``("tensor", i, 0)`` for column i,
    ``("param", i, 0)`` for one that is learnt and has the others' type,
    ``("number", x, 0)`` and ``("call", function, arity)``.

    Raises:
        RowFaultError: a column is not one number a row, a number is NaN, a divisor is zero, or a width is not positive.
    """
    given = [_numbers(number, column) for number, column in enumerate(columns)]
    learnt = {what for kind, what, _ in steps if kind == "param"}
    floating = [t.dtype for i, t in enumerate(given) if i not in learnt and t.is_floating_point()]
    exact = not (floating or learnt) and all(
        isinstance(what, int) if kind == "number" else kind == "tensor" or what in _WHOLE for kind, what, _ in steps
    )
    is_soft = steps[-1][1] in _SOFT
    narrow = floating and not is_soft
    dtype = functools.reduce(torch.promote_types, floating, torch.float32) if narrow else torch.float64
    device = next((t.device for t in given if t.device.type != "cpu"), torch.device("cpu"))
    given = [t.to(device, dtype) for t in given]
    stack: list[Tensor] = []
    for kind, what, arity in steps:
        if kind in ("tensor", "param"):
            stack.append(given[what])
        elif kind == "number":
            stack.append(torch.tensor([what], dtype=dtype, device=device))
        else:
            arguments = stack[-arity:]
            del stack[-arity:]
            if what in _COMPARISONS:
                left, right = arguments
                _check(given, arguments)
                stack.append(_COMPARISONS[what](left, right, exact).double())
            elif what in _SOFT:
                _check(given, arguments)
                stack.append(_SOFT[what](*arguments))
            else:
                stack.append(ROW_ARITHMETIC[what, arity](*arguments))
    (result,) = stack
    if steps[-1][1] in _COMPARISONS:
        return result
    _check(given, [result])
    if exact and bool((result.abs() <= _EXACT_INTEGERS).all()):
        return result.long()
    return result


def _numbers(number: int, column: Column) -> Tensor:
    """A column as one number a row, [rows]."""
    if isinstance(column, TensorList):
        raise RowFaultError(f"is {shape_text(column)}", number)
    if not isinstance(column, Tensor):
        try:
            column = torch.as_tensor(column.items)
        except (TypeError, ValueError, RuntimeError):
            raise RowFaultError(f"is {shape_text(column)}", number) from None
    if column.shape[1:].numel() != 1 or column.is_complex():
        kind = f" of {column.dtype}" if column.is_complex() else ""
        raise RowFaultError(f"has the shape {list(column.shape)}{kind}", number)
    return column.reshape(len(column))


def _check(given: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Raise where a value is NaN; the tensor that brought it in is named, if one did."""
    if not any(bool(torch.isnan(value).any()) for value in values):
        return
    for number, tensor in enumerate(given):
        if bool(torch.isnan(tensor).any()):
            raise RowFaultError("is NaN", number, _first(torch.isnan(tensor)))
    fault = next(torch.isnan(value) for value in values if bool(torch.isnan(value).any()))
    raise RowFaultError(
        "arithmetic is not defined", None, _first(fault), ": a root, a logarithm or a difference of infinities"
    )


def _first(rows: Tensor) -> int:
    return int(rows.reshape(-1).nonzero()[0])


def _quotient(a: Tensor, b: Tensor) -> Tensor:
    zero = b == 0
    if bool(zero.any()):
        raise RowFaultError("arithmetic divides by zero", None, _first(zero), ", so that it has no value there")
    return a / b


def _less(a: Tensor, b: Tensor, exact: bool) -> Tensor:
    return a < b


def _equal(a: Tensor, b: Tensor, exact: bool) -> Tensor:
    if exact:
        return a == b
    a, b = a.double(), b.double()
    apart = (a - b).abs()
    most = EQUALITY_TOLERANCE * torch.maximum(a.abs(), b.abs()).clamp_min(1.0)
    return (a == b) | ((apart <= most) & torch.isfinite(apart))


_COMPARISONS: Mapping[str, Callable[[Tensor, Tensor, bool], Tensor]] = MappingProxyType({"<": _less, "=:=": _equal})


def _distance(value: Tensor, threshold: Tensor, width: Tensor) -> Tensor:
    """How many widths a value is above the threshold."""
    wrong = (width <= 0) | torch.isinf(width)
    if bool(wrong.any()):
        row = _first(wrong)
        found = float(width.detach().reshape(-1)[row])
        advice = "; a width is a finite number above 0, and one that is learnt stays so as exp(param(width, 0))"
        raise RowFaultError(f"goal has the width {found:.6g}", None, row, advice)
    return (value - threshold) / width


def _above(value: Tensor, threshold: Tensor, width: Tensor) -> Tensor:
    return torch.sigmoid(_distance(value, threshold, width))


def _below(value: Tensor, threshold: Tensor, width: Tensor) -> Tensor:
    """1 - above, exact where that is next to 0."""
    return torch.sigmoid(-_distance(value, threshold, width))


def _near(value: Tensor, threshold: Tensor, width: Tensor) -> Tensor:
    return torch.exp(-_distance(value, threshold, width).square() / 2)


def _far(value: Tensor, threshold: Tensor, width: Tensor) -> Tensor:
    """1 - near, exact where that is next to 0."""
    return -torch.expm1(-_distance(value, threshold, width).square() / 2)


_SOFT: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = MappingProxyType(
    {"$above": _above, "$below": _below, "$near": _near, "$far": _far}
)

ROW_ARITHMETIC: Mapping[tuple[str, int], Callable[..., Tensor]] = MappingProxyType(
    {
        ("+", 2): torch.add,
        ("-", 2): torch.sub,
        ("*", 2): torch.mul,
        ("/", 2): _quotient,
        ("**", 2): torch.pow,
        ("^", 2): torch.pow,
        ("min", 2): torch.minimum,
        ("max", 2): torch.maximum,
        ("+", 1): torch.positive,
        ("-", 1): torch.neg,
        ("abs", 1): torch.abs,
        ("sqrt", 1): torch.sqrt,
        ("exp", 1): torch.exp,
        ("log", 1): torch.log,
    }
)
"""The functions of numbers, by name and arity."""
