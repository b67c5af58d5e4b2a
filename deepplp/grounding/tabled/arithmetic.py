"""Arithmetic of the fast evaluation: expressions of clauses as functions of an environment."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from problog.logic import Constant, Term, compute_function

from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Terms

__all__ = ["COMPARISONS", "expression"]

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "<": operator.lt,
        ">": operator.gt,
        "=<": operator.le,
        ">=": operator.ge,
        "=:=": operator.eq,
        "=\\=": operator.ne,
    }
)
# Those that programs use most, in Python's own words; ProbLog computes the others.
_BINARY: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "//": operator.floordiv,
        "mod": operator.mod,
        "min": min,
        "max": max,
    }
)
_UNARY: Mapping[str, Callable[[Any], Any]] = MappingProxyType({"-": operator.neg, "abs": abs})
_FAILURES = (ArithmeticError, TypeError, ValueError)

Expression = Callable[[Environment], Any]


def expression(terms: Terms, term: Any) -> Expression:
    """The value of a clause's term in an environment. What has none is outside of the fragment."""
    if type(term) is int:
        return _variable(terms, term)
    if type(term) is Constant:
        return _constant(term.functor)
    if type(term) is not Term:
        raise OutsideFragment
    name = str(term.functor).strip("'")
    parts = [expression(terms, a) for a in term.args]
    if len(parts) == 2 and name in _BINARY:
        return _binary(_BINARY[name], *parts)
    if len(parts) == 1 and name in _UNARY:
        return _unary(_UNARY[name], parts[0])
    return _other(term.functor, parts)


def _constant(value: Any) -> Expression:
    if type(value) not in (int, float):
        raise OutsideFragment
    return lambda environment: value


def _variable(terms: Terms, variable: int) -> Expression:
    values = terms.values

    def value(environment: Environment) -> Any:
        bound = environment[variable]
        if type(bound) is not int or bound < 0:
            bound = terms.resolve(~variable, environment)
            if type(bound) is not int or bound < 0:
                raise OutsideFragment
        found = values[bound]
        return computed(terms.term(bound)) if found is None else found

    return value


def computed(term: Term) -> Any:
    """The value of a ground term, such as ``2+3``."""
    try:
        value = term.compute_value()
    except Exception:  # ProbLog's engine meets it again, and says what it is
        raise OutsideFragment from None
    if type(value) not in (int, float):
        raise OutsideFragment
    return value


def _binary(function: Callable[[Any, Any], Any], left: Expression, right: Expression) -> Expression:
    def value(environment: Environment) -> Any:
        try:
            return function(left(environment), right(environment))
        except _FAILURES:
            raise OutsideFragment from None

    return value


def _unary(function: Callable[[Any], Any], part: Expression) -> Expression:
    def value(environment: Environment) -> Any:
        try:
            return function(part(environment))
        except _FAILURES:
            raise OutsideFragment from None

    return value


def _other(functor: Any, parts: list[Expression]) -> Expression:
    def value(environment: Environment) -> Any:
        given = [part(environment) for part in parts]
        try:
            return compute_function(functor, [_Value(g) for g in given])
        except Exception:  # ProbLog's engine meets it again, and says what it is
            raise OutsideFragment from None

    return value


class _Value:
    """A number as an argument of `compute_function`."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def compute_value(self, functions: Any = None) -> Any:
        """The number itself."""
        return self._value
