"""Arithmetic of the tabled engine: expressions of clauses as functions of an environment."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from deepplp.grounding.clause_base import ClauseTerm
from deepplp.grounding.tabled.terms import Environment, Number, OutsideFragment, Terms
from deepplp.grounding.tensor_arithmetic import holds_tensor
from deepplp.program import Constant, Term, function_fault, function_value, number_of, product

__all__ = ["COMPARISONS", "Expression", "TensorMetError", "expression"]

Expression: TypeAlias = Callable[[Environment], Number]


class TensorMetError(Exception):
    """A tensor stands in an expression, whose value differs from row to row: `tensor_arithmetic` takes over."""


COMPARISONS: Mapping[str, Callable[[Number, Number], bool]] = MappingProxyType(
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
_BINARY: Mapping[str, Callable[[Number, Number], Number]] = MappingProxyType(
    {
        "+": operator.add,
        "-": operator.sub,
        "*": product,
        "/": operator.truediv,
        "//": operator.floordiv,
        "mod": operator.mod,
        "min": min,
        "max": max,
    }
)
_UNARY: Mapping[str, Callable[[Number], Number]] = MappingProxyType({"-": operator.neg, "abs": abs})
_FAILURES = (ArithmeticError, TypeError, ValueError)


def expression(terms: Terms, term: ClauseTerm) -> Expression:
    """The value of a clause's term in an environment. What has none is outside of the fragment."""
    if isinstance(term, int):
        return _variable(terms, term)
    if type(term) is Constant:
        return _constant(term.functor)
    if type(term) is not Term:
        raise OutsideFragment(f"{term} has no value as arithmetic")
    name = str(term.functor).strip("'")
    if not term.args:
        return _atom(terms, term)
    if (name, term.arity) in (("tensor", 1), ("param", 2)):
        return _tensor
    parts = [expression(terms, a) for a in term.args]
    if len(parts) == 2 and name in _BINARY:
        return _binary(term.functor, _BINARY[name], *parts)
    if len(parts) == 1 and name in _UNARY:
        return _unary(term.functor, _UNARY[name], parts[0])
    return _other(term.functor, parts)


def _constant(value: object) -> Expression:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise OutsideFragment(f"{value} has no value as arithmetic")
    return lambda environment: value


def _variable(terms: Terms, variable: int) -> Expression:
    values = terms.values

    def value(environment: Environment) -> Number:
        bound = environment[variable]
        if not isinstance(bound, int) or bound < 0:
            bound = terms.resolve(~variable, environment)
            if not isinstance(bound, int) or bound < 0:
                raise OutsideFragment("arithmetic is reached with a free variable")
        found = values[bound]
        return _computed(terms, terms.term(bound)) if found is None else found

    return value


def _atom(terms: Terms, atom: Term) -> Expression:
    """The value of an atom such as ``pi``, unless it names an input."""
    return lambda environment: _computed(terms, atom)


def _tensor(environment: Environment) -> Number:
    raise TensorMetError


def _computed(terms: Terms, term: Term) -> Number:
    """The value of a ground term, such as ``2+3``."""
    if holds_tensor(term, terms.inputs):
        raise TensorMetError
    try:
        return number_of(term)
    except ValueError as error:
        raise OutsideFragment(f"arithmetic has no value: {error}") from None


def _binary(
    functor: str, function: Callable[[Number, Number], Number], left: Expression, right: Expression
) -> Expression:
    def value(environment: Environment) -> Number:
        a, b = left(environment), right(environment)
        try:
            return function(a, b)
        except _FAILURES:
            raise OutsideFragment(f"arithmetic has no value: {function_fault(functor, (a, b))}") from None

    return value


def _unary(functor: str, function: Callable[[Number], Number], part: Expression) -> Expression:
    def value(environment: Environment) -> Number:
        a = part(environment)
        try:
            return function(a)
        except _FAILURES:
            raise OutsideFragment(f"arithmetic has no value: {function_fault(functor, (a,))}") from None

    return value


def _other(functor: str, parts: Sequence[Expression]) -> Expression:
    def value(environment: Environment) -> Number:
        try:
            return function_value(functor, [part(environment) for part in parts])
        except ValueError as error:
            raise OutsideFragment(f"arithmetic has no value: {error}") from None

    return value
