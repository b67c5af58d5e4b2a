"""Arithmetic: ProbLog's functions, and the value of a term. None of them makes a number that is too large.

Python's integers grow without end, and a power of two digits may fill the memory in one step that nothing interrupts.
So the functions whose results are much longer than their arguments look at the arguments first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias, cast

from problog.errors import ProbLogError
from problog.logic import ArithmeticError as NoValue
from problog.logic import Constant, Term, _arithmetic_functions

__all__ = ["ArithmeticFunction", "function_value", "number_of", "product", "value_of", "written"]

ArithmeticFunction: TypeAlias = Callable[..., object]

_MOST_BITS = 1 << 16  # of an integer: a product of two of them takes a tenth of a millisecond
_MOST_DIGITS = 4_300  # of an integer in a term: Python writes no longer ones
_LARGEST = 10**_MOST_DIGITS
_BY_FUNCTION = Term.compute_value  # of all terms but numbers, variables and the like

_FAILURES = (ProbLogError, ArithmeticError, AttributeError, TypeError, ValueError)


def _power(base: float, exponent: float) -> object:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        _check(f"{_short(base)}**{_short(exponent)}", (abs(base).bit_length() - 1) * exponent)
    return base**exponent


def _shifted(number: int, by: int) -> int:
    if isinstance(number, int) and isinstance(by, int) and number and by > 0:
        _check(f"{_short(number)}<<{_short(by)}", number.bit_length() + by)
    return number << by


def product(left: float, right: float) -> float:
    """The product of two numbers."""
    if type(left) is int and type(right) is int:
        bits = left.bit_length() + right.bit_length()
        if bits > _MOST_BITS:
            _check(f"{_short(left)}*{_short(right)}", bits - 1)
    return left * right


def _check(what: str, bits: int) -> None:
    if bits > _MOST_BITS:
        raise OverflowError(f"{what} has more than {_MOST_BITS:,} bits, the most that an integer may have")


def _short(number: int) -> str:
    return str(number) if number.bit_length() <= 64 else f"(an integer of {number.bit_length():,} bits)"


_FUNCTIONS: Mapping[tuple[str, int], ArithmeticFunction] = MappingProxyType(
    {**_arithmetic_functions, ("**", 2): _power, ("^", 2): _power, ("<<", 2): _shifted, ("*", 2): product}
)


def value_of(term: object, functions: Mapping[tuple[str, int], ArithmeticFunction] | None = None) -> object:
    """The value of a term as arithmetic, by ProbLog's functions and others that a program has.

    Raises:
        NoValue: ProbLog's error, that the term has no value.
        OverflowError: an integer would be too large; it is not computed.
    """
    if not isinstance(term, Term) or type(term).compute_value is not _BY_FUNCTION:
        return term.compute_value(functions)  # type: ignore[attr-defined]
    key = str(term.functor).strip("'"), term.arity
    function = _FUNCTIONS.get(key) or (functions or {}).get(key)
    if function is None:
        raise NoValue(f"Unknown function '{term.functor}'/{term.arity}")
    try:
        values = [value_of(argument, functions) for argument in term.args]
        return None if None in values else function(*values)
    except ValueError as error:
        raise NoValue(str(error)) from error
    except ZeroDivisionError as error:
        raise NoValue("Division by zero.") from error


def number_of(term: Term) -> int | float:
    """The value of a ground term as arithmetic: ``2+3`` is 5. What has no value is a ValueError.

    >>> number_of(Term("'+'", Constant(2), Constant(3)))
    5
    """
    try:
        value = value_of(term)
    except _FAILURES as error:
        raise ValueError(str(error)) from error
    if type(value) not in (int, float):
        raise ValueError(f"{term} is no number")
    return cast(int | float, value)


def function_value(functor: str, values: Sequence[int | float]) -> int | float:
    """The value of an arithmetic function such as ``"sqrt"`` on numbers. What has no value is a ValueError.

    >>> function_value("'**'", (2, 3))
    8
    """
    try:
        value = value_of(Term(functor, *map(Constant, values)))
    except _FAILURES as error:
        raise ValueError(str(error)) from error
    if type(value) not in (int, float):
        raise ValueError(f"{functor}/{len(values)} gives no number")
    return cast(int | float, value)


def written(value: object) -> object:
    """A number that is to become a term. One with too many digits to be written is an OverflowError."""
    if isinstance(value, int) and not -_LARGEST < value < _LARGEST:
        raise OverflowError(f"its result has more than {_MOST_DIGITS:,} digits, the most that can be written")
    return value
