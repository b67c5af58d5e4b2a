"""Arithmetic: ProbLog's functions, and the value of a term. None of them makes a number that is too large.

Python's integers grow without end, and a power of two digits may fill the memory in one step that nothing interrupts.
So the functions whose results are much longer than their arguments look at the arguments first.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, cast

from problog.errors import ProbLogError
from problog.logic import ArithmeticError as NoValue
from problog.logic import Constant, Term, _arithmetic_functions, is_variable

from deepplp.program.naming import readable

__all__ = [
    "ArithmeticFunction",
    "NumberSizeError",
    "arithmetic_fault",
    "as_float",
    "function_fault",
    "function_value",
    "number_of",
    "product",
    "value_of",
    "written",
]

ArithmeticFunction: TypeAlias = Callable[..., object]

_MOST_BITS = 1 << 16  # of an integer: a product of two of them takes a tenth of a millisecond
_MOST_DIGITS = 4_300  # of an integer in a term: Python writes no longer ones
_LARGEST = 10**_MOST_DIGITS
_BY_FUNCTION = Term.compute_value  # of all terms but numbers, variables and the like

_FAILURES = (ProbLogError, ArithmeticError, AttributeError, TypeError, ValueError)


class NumberSizeError(OverflowError):
    """An integer that is not made, since it would be too large."""


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
        raise NumberSizeError(f"{what} has more than {_MOST_BITS:,} bits, the most that an integer may have")


def _short(number: object) -> str:
    if not isinstance(number, int) or number.bit_length() <= 64:
        return str(number)
    return f"(an integer of {number.bit_length():,} bits)"


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
        raise ValueError(str(arithmetic_fault(term) or f"{_shown(term)} is no number")) from error
    if type(value) not in (int, float):
        raise ValueError(str(arithmetic_fault(term) or f"{_shown(term)} is no number"))
    return cast(int | float, value)


def as_float(value: int | float) -> float:
    """A number as a float; an integer beyond all of them is infinite.

    >>> as_float(-(10**400))
    -inf
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def function_value(functor: str, values: Sequence[int | float]) -> int | float:
    """The value of an arithmetic function such as ``"sqrt"`` on numbers. What has no value is a ValueError.

    >>> function_value("'**'", (2, 3))
    8
    """
    try:
        value = value_of(Term(functor, *map(Constant, values)))
    except _FAILURES as error:
        raise ValueError(function_fault(functor, values)) from error
    if type(value) not in (int, float):
        raise ValueError(function_fault(functor, values))
    return cast(int | float, value)


def written(value: object) -> object:
    """A number that is to become a term. There is one zero of each kind: -0.0 becomes 0.0.

    Raises:
        NumberSizeError: it has too many digits to be written.
        NoValue: it is a complex number, as a power may be.
    """
    if isinstance(value, complex):
        raise NoValue("its result is no real number")
    if isinstance(value, int) and not -_LARGEST < value < _LARGEST:
        raise NumberSizeError(f"its result has more than {_MOST_DIGITS:,} digits, the most that can be written")
    return 0.0 if isinstance(value, float) and value == 0 else value


_INTEGERS = frozenset({"/\\", "\\/", "xor", "#", "><", "<<", ">>", "\\"})
_NO_TENSOR = "is a tensor, whose value is not known while the program is ground"


class ArithmeticFault(NamedTuple):
    """The part of an expression that has no value, and why it has none."""

    part: str
    reason: str

    def __str__(self) -> str:
        return f"{self.part} {self.reason}"


def arithmetic_fault(
    term: object,
    functions: Mapping[tuple[str, int], Any] | None = None,
    is_tensor: Callable[[object], bool] = lambda term: False,
) -> ArithmeticFault | None:
    """What is wrong with a term as arithmetic: its innermost part that has no value. None if it has a value.

    ``functions`` are those of a program besides ProbLog's own. What ``is_tensor`` holds of has a value in each row.

    >>> from deepplp.program import parse_term
    >>> print(arithmetic_fault(parse_term("foo + 1")))
    foo is no number
    >>> print(arithmetic_fault(parse_term("1/0")))
    1/0 divides by zero
    """
    return _Evaluation({**_FUNCTIONS, **(functions or {})}, is_tensor).value(term)[1]


def function_fault(functor: str, values: Sequence[int | float | str]) -> str:
    """What is wrong with an arithmetic function of these values, which it has no value for."""
    infix = {"priority": 500, "opspec": "yfx"} if len(values) == 2 and functor.startswith("'") else {}
    return str(arithmetic_fault(Term(functor, *map(Constant, values), **infix)) or "it is no number")


class _Evaluation:
    """The evaluation of terms by functions that are known by name and arity."""

    def __init__(self, functions: Mapping[tuple[str, int], Any], is_tensor: Callable[[object], bool]) -> None:
        self._functions = functions
        self._is_tensor = is_tensor

    def value(self, term: object) -> tuple[Any, ArithmeticFault | None]:
        """The value of a term, or what is wrong with it."""
        if is_variable(term) or not isinstance(term, Term) or term.is_var():
            unbound = "is not bound when it is reached; bind it in a goal before this one"
            return None, ArithmeticFault(readable(term), unbound)
        if self._is_tensor(term):
            return 1.0, None
        if isinstance(term, Constant):
            is_text = isinstance(term.functor, str)
            return term.functor, ArithmeticFault(str(term), "is a text, no number") if is_text else None
        if term.functor == "[]" or (term.functor == "." and term.arity == 2):
            return None, ArithmeticFault(readable(term), "is a list, no number")
        name = str(term.functor).strip("'")
        function = self._functions.get((name, term.arity))
        if function is None:
            free = next((a for a in term.args if is_variable(a) or a.is_var()), None)
            if free is not None:  # of a learnt number, whose name it may be
                return self.value(free)
            return None, ArithmeticFault(readable(term), self._unknown(name, term.arity))
        values = []
        for argument in term.args:
            value, fault = self.value(argument)
            if fault is not None:
                return None, fault
            values.append(value)
        return _applied(function, name, term.with_args(*map(Constant, values)))

    def _unknown(self, name: str, arity: int) -> str:
        if arity == 0:
            return "is no number"
        if (name, arity) == ("tensor", 1):
            return _NO_TENSOR
        arities = sorted(n for known, n in self._functions if known == name)
        close = difflib.get_close_matches(name, {known for known, _ in self._functions}, n=2, cutoff=0.7)
        near = [f"{name}/{n}" for n in arities] or [f"{k}/{n}" for k, n in self._functions if k in close]
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"is no number, as there is no arithmetic function {name}/{arity}{meant}"


def _shown(term: Term) -> str:
    """A term as text; integers that have too many digits to be written are described."""
    try:
        return str(term)
    except ValueError:
        return f"{term.functor}({', '.join(_short(a.functor) for a in term.args)})"


def _applied(function: Any, name: str, term: Term) -> tuple[Any, ArithmeticFault | None]:
    """The value of a function of numbers, which are the arguments of ``term``."""
    values = [argument.functor for argument in term.args]
    try:
        value = function(*values)
    except ZeroDivisionError:
        return None, ArithmeticFault(_shown(term), "divides by zero")
    except NumberSizeError as error:
        return None, ArithmeticFault(*str(error).split(" ", 1))
    except (OverflowError, MemoryError):
        return None, ArithmeticFault(_shown(term), "is too large for a number")
    except Exception:  # each function has errors of its own, and their words are Python's
        wants = name in _INTEGERS and any(not isinstance(v, int) for v in values)
        return None, ArithmeticFault(_shown(term), f"is not defined{f'; {name} takes integers' if wants else ''}")
    if isinstance(value, complex):
        return None, ArithmeticFault(_shown(term), "is no real number")
    return value, None
