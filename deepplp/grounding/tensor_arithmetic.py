"""Arithmetic and comparisons of tensors, such as ``T > 38.5`` where T is an input: terms, and the atoms they decide.

Grounding computes no tensor. ``X is T * 2`` binds X to ``tensor(T*2)``, which says how X is computed for every row.
``T > 38.5`` holds in some rows and not in others, so that it is a choice whose probability, 0 or 1 in each row, is such
a term: the ground program does not depend on the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from deepplp.errors import NoValueError
from deepplp.grounding.clause_base import Location
from deepplp.grounding.target import Key, TensorMark
from deepplp.program import PARAMETER_FORM, Constant, Term, as_float, learnt_number, number_of, readable

__all__ = [
    "COMPARED_BY",
    "TENSOR_ARITHMETIC",
    "TENSOR_COMPARISONS",
    "ArithmeticStep",
    "Decision",
    "TensorExpression",
    "comparison",
    "constant_number",
    "holds_tensor",
    "is_arithmetic",
    "is_tensor",
    "tensor_expression",
    "tensor_number",
]

Signature: TypeAlias = tuple[str, int]
ArithmeticStep: TypeAlias = tuple[Literal["tensor", "param", "number", "call"], object, int]
"""The number of a tensor or of one that is learnt, a number, or a function with its arity."""

TENSOR_ARITHMETIC: frozenset[Signature] = frozenset(
    {
        ("+", 2), ("-", 2), ("*", 2), ("/", 2), ("**", 2), ("^", 2), ("min", 2), ("max", 2),
        ("+", 1), ("-", 1), ("abs", 1), ("sqrt", 1), ("exp", 1), ("log", 1),
    }
)  # fmt: skip
"""The functions that arithmetic has for tensors, one number a row."""
TENSOR_COMPARISONS: frozenset[Signature] = frozenset(
    {("<", 2), ("=:=", 2), ("$above", 3), ("$below", 3), ("$near", 3), ("$far", 3)}
)
"""The comparisons that all others are made of, and the soft ones with their complements."""

COMPARED_BY: Mapping[str, tuple[str, bool, bool]] = MappingProxyType(
    {  # what it is made of, whether the sides change places, and whether that holds where it holds
        "<": ("<", False, True),
        ">": ("<", True, True),
        ">=": ("<", False, False),
        "=<": ("<", True, False),
        "=:=": ("=:=", False, True),
        "=\\=": ("=:=", False, False),
    }
)
_EXACT_INTEGERS = 1 << 53  # as floats


@dataclass(frozen=True, slots=True)
class TensorExpression:
    """An expression in postfix order, and the ``tensors`` that its steps speak of by number."""

    steps: tuple[ArithmeticStep, ...]
    tensors: tuple[Term, ...]


class Decision(NamedTuple):
    """An atom that tensors decide, and whether what was asked is the atom or (not ``holds``) its negation."""

    identifier: tuple[Hashable, ...]
    mark: TensorMark
    holds: bool

    def key(self, add_atom: Callable[[Hashable, TensorMark], Key]) -> Key:
        """The key of what was asked, by the function that adds an atom to a ground program."""
        key = add_atom(self.identifier, self.mark)
        return key if self.holds or key is None else -key


def is_tensor(term: object, inputs: Collection[str]) -> bool:
    """Whether a term is the name of an input, a learnt number, or a term that says how a tensor is computed."""
    if not isinstance(term, Term) or isinstance(term, Constant):
        return False
    if not term.args:
        return bool(inputs) and str(term) in inputs
    return bool((term.functor == "tensor" and term.arity == 1) or _is_param(term))


def _is_param(term: Term) -> bool:
    return bool(term.functor == "param" and term.arity == 2)


def holds_tensor(term: object, inputs: Collection[str]) -> bool:
    """Whether a tensor stands somewhere in a term.

    >>> from deepplp.program import parse_term
    >>> holds_tensor(parse_term("2 * t + 1"), {"t"})
    True
    """
    stack = [term]
    while stack:
        current = stack.pop()
        if is_tensor(current, inputs):
            return True
        if isinstance(current, Term):
            stack.extend(current.args)
    return False


def is_arithmetic(term: Term) -> bool:
    """Whether a tensor's term is that of arithmetic or of a comparison."""
    signature = _signature(term)
    return signature in TENSOR_ARITHMETIC or signature in TENSOR_COMPARISONS


def tensor_number(term: Term, inputs: Collection[str]) -> Term:
    """The tensor that an expression with tensors in it is: itself where it is one.

    Raises:
        NoValueError: a part of it has no value as arithmetic.
    """
    if is_tensor(term, inputs):
        return term
    tensor_expression(term, inputs)
    return Term("tensor", term)


def comparison(name: str, left: Term, right: Term, inputs: Collection[str], location: Location) -> Decision:
    """What ``left name right`` asks, where a tensor stands in one of the sides.

    ``T > 38.5``, ``38.5 < T`` and the negation of ``T =< 38.5`` are one atom.

    Raises:
        NoValueError: a part of a side has no value as arithmetic.

    >>> comparison(">=", Term("t"), Constant(3), {"t"}, None).holds
    False
    """
    base, swapped, holds = COMPARED_BY[name]
    first, second = (right, left) if swapped else (left, right)
    if base == "=:=" and str(second) < str(first):  # the same either way
        first, second = second, first
    atom = Term(f"'{base}'", first, second, priority=700, opspec="xfx")
    tensor_expression(atom, inputs, compares=True)
    written = Term(f"'{name}'", left, right, priority=700, opspec="xfx") if holds else atom
    mark = TensorMark((Term("tensor", atom),), written, location)
    return Decision(("$compared", base, str(first), str(second)), mark, holds)


def tensor_expression(term: Term, inputs: Collection[str], *, compares: bool = False) -> TensorExpression:
    """An expression as steps; with ``compares`` it is a comparison of two. Its parts without tensors are computed.

    Raises:
        NoValueError: a part of it has no value as arithmetic, is NaN, or is a function that tensors do not have.

    >>> from deepplp.program import parse_term
    >>> tensor_expression(parse_term("t + 2 ** 3"), {"t"}).steps
    (('tensor', 0, 0), ('number', 8, 0), ('call', '+', 2))
    """
    tensors: dict[str, Term] = {}
    numbers: dict[str, int] = {}
    found: list[Term | list[ArithmeticStep]] = []  # a term where no tensor stands in it
    stack = [(term, False)]
    while stack:
        current, complete = stack.pop()
        if is_tensor(current, inputs):
            text = str(current)
            tensors.setdefault(text, current)
            if is_param := _is_param(current):
                _check_param(current)
            found.append([("param" if is_param else "tensor", numbers.setdefault(text, len(numbers)), 0)])
        elif not isinstance(current, Term) or not current.args:
            found.append(current)
        elif not complete:
            stack.append((current, True))
            stack.extend((argument, False) for argument in reversed(current.args))
        else:
            arguments = found[-current.arity :]
            del found[-current.arity :]
            if all(isinstance(a, Term) for a in arguments):
                found.append(current)
            else:
                found.append(_call(current, arguments, compares=compares and current is term))
    return TensorExpression(tuple(_steps(found[0])), tuple(tensors.values()))


def _call(term: Term, arguments: Sequence[Term | list[ArithmeticStep]], *, compares: bool) -> list[ArithmeticStep]:
    name, arity = signature = _signature(term)
    if signature not in TENSOR_ARITHMETIC and not (compares and signature in TENSOR_COMPARISONS):
        known = ", ".join(dict.fromkeys(n for n, _ in sorted(TENSOR_ARITHMETIC)))
        instead = f"no arithmetic of tensors, which has {known}; a network (nn/3) may compute anything else"
        what = "a list, no number" if name == "." else instead
        raise NoValueError(f"this arithmetic has no value: {readable(term)} is {what}")
    steps = _steps(arguments[0])
    for argument in arguments[1:]:
        steps += _steps(argument)
    steps.append(("call", name, arity))
    return steps


def _check_param(term: Term) -> None:
    if learnt_number(term) is None:
        raise NoValueError(f"this arithmetic has no value: {readable(term)} is no number; {PARAMETER_FORM}")


def _steps(part: Term | list[ArithmeticStep]) -> list[ArithmeticStep]:
    return [("number", constant_number(part), 0)] if isinstance(part, Term) else part


def constant_number(term: Term) -> int | float:
    """The value of an expression without tensors.

    Raises:
        NoValueError: it has none, or is NaN.
    """
    try:
        value = number_of(term)
    except ValueError as error:
        raise NoValueError(f"this arithmetic has no value: {error}") from None
    if value != value:
        raise NoValueError(
            f"this arithmetic has no value: {term} is NaN, which is neither above nor below nor equal to a number"
        )
    return value if isinstance(value, float) or abs(value) <= _EXACT_INTEGERS else as_float(value)


def _signature(term: Term) -> Signature:
    return str(term.functor).strip("'"), term.arity
