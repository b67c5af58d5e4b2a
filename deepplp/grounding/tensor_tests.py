"""Predicates of tensors that hold or do not: ``above/3``, ``below/3``, ``near/3`` and ``less_than/2``.

``above(T, Threshold, Width)`` is the soft form of ``T > Threshold``: it holds with a probability that rises from 0 to 1
around the threshold, so that gradients flow to T, the threshold and the width.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import cast

from deepplp.errors import GroundingError, NonGroundError, NoValueError, UnknownPredicateError
from deepplp.grounding.clause_base import Location
from deepplp.grounding.target import TensorMark
from deepplp.grounding.tensor_arithmetic import (
    COMPARED_BY,
    Decision,
    comparison,
    constant_number,
    holds_tensor,
    is_arithmetic,
    tensor_expression,
)
from deepplp.program import PARAMETER_FORM, Term, function_value, is_ground, learnt_number, readable, subterms

__all__ = ["TENSOR_TESTS", "number_faults", "start_value", "tensor_test"]

TENSOR_TESTS: Mapping[str, int] = MappingProxyType({"above": 3, "below": 3, "near": 3, "less_than": 2})
"""The arities of the predicates by their names."""

_TOLERANCE = 1e-6  # of =:=, that of the rows of a batch
_COMPLEMENTS: Mapping[str, str] = MappingProxyType({"above": "below", "near": "far"})


def tensor_test(name: str, arguments: Sequence[object], inputs: Collection[str], location: Location) -> Decision:
    """What one of the predicates asks of its arguments: numbers, tensors, and expressions of them.

    ``below`` holds where ``above`` of the same arguments does not. The same arguments are one choice, others another.

    Raises:
        NonGroundError: an argument holds a variable.
        GroundingError: the width is a number that is not above 0.
        NoValueError: an argument has no value as arithmetic.
        UnknownPredicateError: less_than/2 is called with numbers.
    """
    given: list[Term] = []
    for number, argument in enumerate(arguments):
        if not (isinstance(argument, Term) and is_ground(argument)):
            raise NonGroundError(
                f"argument {number + 1} of {name}/{len(arguments)} is not bound when it is reached; bind it in a goal "
                "before this one"
            )
        given.append(argument)
    if name == "less_than":
        if not any(holds_tensor(term, inputs) for term in given):
            raise UnknownPredicateError(
                f"no clauses for less_than/2; there is a tensor function of this name, but {given[0]} and {given[1]} "
                "are no tensors"
            )
        return comparison("<", given[0], given[1], inputs, location)
    return _soft(name, given, inputs, location)


def _soft(name: str, given: Sequence[Term], inputs: Collection[str], location: Location) -> Decision:
    base = "above" if name == "below" else name
    for term in given:
        tensor_expression(term, inputs)
    width = None if holds_tensor(given[2], inputs) else constant_number(given[2])
    if width is not None and (fault := width_fault(width, readable(Term(name, *given)))) is not None:
        raise GroundingError(fault)
    probabilities: tuple[Term | float, ...]
    if any(holds_tensor(term, inputs) for term in given):
        probabilities = tuple(Term("tensor", Term(f"'${f}'", *given)) for f in (base, _COMPLEMENTS[base]))
    else:
        probabilities = _stated(base, *map(constant_number, given))
    mark = TensorMark(probabilities, Term(base, *given), location)
    return Decision((f"${base}", *map(str, given)), mark, name == base)


def number_faults(goal: Term) -> Iterator[tuple[str, bool]]:
    """What can be said of a goal's numbers before anything is known of its tensors, and whether that is an error.

    That is a width that is not above 0, a number that is NaN, and a learnt number without a name or a start. A
    comparison with NaN is an error of tensors alone. There is nothing of goals of other kinds.
    """
    name = str(goal.functor).strip("'")
    if TENSOR_TESTS.get(name) != goal.arity and name not in COMPARED_BY and goal.signature != "is/2":
        return
    for term in subterms(goal.args):
        if term.functor == "param" and term.arity == 2 and is_ground(term) and learnt_number(term) is None:
            yield f"{readable(term)} is no number; {PARAMETER_FORM}", True
    for place, argument in enumerate(goal.args):
        try:
            value = constant_number(argument) if isinstance(argument, Term) and is_ground(argument) else None
        except NoValueError as error:
            if "NaN" in error.message:
                yield error.message, name in TENSOR_TESTS
            continue
        if value is not None and place == 2 and (fault := width_fault(value, readable(goal))) is not None:
            yield fault, True


def width_fault(width: float, goal: str) -> str | None:
    """What is wrong with the width of a goal, None where nothing is."""
    if 0 < width < math.inf:
        return None
    return (
        f"the width {width} of {goal} must be a number above 0: it says over which distance from the threshold the "
        "probability changes; without one, compare: T > Threshold"
    )


def start_value(tensor: Term) -> float | None:
    """The value of a tensor's term of which learnt numbers alone are a part, where these start; None of any other.

    Raises:
        GroundingError: a width is not above 0.
        ValueError: it has no value there.

    >>> from deepplp.program import parse_term
    >>> start_value(parse_term("tensor(param(theta, 3) * 2 - 1)"))
    5.0
    """
    number = learnt_number(tensor)
    if number is not None:
        return number[1]
    inner = tensor.args[0] if tensor.functor == "tensor" else tensor
    if not (isinstance(inner, Term) and is_arithmetic(inner)):
        return None
    expression = tensor_expression(inner, (), compares=True)
    parts = [start_value(part) for part in expression.tensors]
    stack: list[float] = []
    for kind, what, arity in expression.steps:
        if kind == "call":
            values = stack[-arity:]
            del stack[-arity:]
            stack.append(_called(str(what), values))
            if math.isnan(stack[-1]):
                raise ValueError(f"{readable(inner)} is NaN")
        else:
            value = what if kind == "number" else parts[cast(int, what)]
            if value is None:
                return None
            stack.append(float(cast(float, value)))
    return stack[0]


def _called(name: str, values: Sequence[float]) -> float:
    """A function, a comparison or a soft comparison of numbers."""
    if name == "<":
        return float(values[0] < values[1])
    if name == "=:=":
        return float(math.isclose(*values, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE))
    if not name.startswith("$"):
        return float(function_value(f"'{name}'", values))
    value, threshold, width = values
    goal = name[1:]
    fault = width_fault(width, f"{goal}({value:.12g},{threshold:.12g},{width:.12g})")
    if fault is not None:
        raise GroundingError(fault)
    base = {"below": "above", "far": "near"}.get(goal, goal)
    return _stated(base, value, threshold, width)[goal != base]


def _stated(name: str, value: float, threshold: float, width: float) -> tuple[float, float]:
    """The probabilities of a test of numbers and of its negation."""
    z = (value - threshold) / width
    if name == "near":
        return math.exp(-z * z / 2), -math.expm1(-z * z / 2)
    small = math.exp(-abs(z)) / (1 + math.exp(-abs(z)))
    return (1 - small, small) if z >= 0 else (small, 1 - small)
