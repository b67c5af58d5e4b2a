"""Predicates of tensors that every program may call, such as ``rbf(A, B, P)``, unless it defines them itself.

Grounding computes no tensor. ``P`` becomes the term ``tensor(rbf(A, B))``, which says how to compute it when it is
needed: as a network's argument, or as a probability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from problog.engine_unify import UnifyError, unify_value
from problog.logic import Constant, Term, is_ground

from deepplp.errors import NonGroundError, Position, UnknownPredicateError
from deepplp.program import list_items

__all__ = ["EMBED", "TENSOR_SIGNATURES", "TensorSignature", "tensor_builtins", "tensor_test"]

EMBED = "embed"


@dataclass(frozen=True, slots=True)
class TensorSignature:
    """How many tensors a function takes, then how many numbers; a ``test`` holds or not, and has no result."""

    tensors: int
    parameters: int = 0
    test: bool = False

    @property
    def arguments(self) -> int:
        """The number of arguments, the result left out."""
        return self.tensors + self.parameters


TENSOR_SIGNATURES: Mapping[str, TensorSignature] = MappingProxyType(
    {
        "rbf": TensorSignature(2),
        "dot": TensorSignature(2),
        "add": TensorSignature(2),
        "mul": TensorSignature(2),
        "max": TensorSignature(1),
        "mean": TensorSignature(1),
        "sigmoid": TensorSignature(1),
        "stack": TensorSignature(1),
        "cat": TensorSignature(1),
        "list_to_tensor": TensorSignature(1),
        "one_hot": TensorSignature(0, 2),
        "tensor_index": TensorSignature(1, 1),
        "less_than": TensorSignature(2, test=True),
    }
)

Locate = Callable[[Any], Position | None]
Solver = Callable[..., list[tuple[Any, ...]]]


def tensor_builtins(locate: Locate) -> Iterator[tuple[str, int, Solver]]:
    """Name, arity and solver of every predicate that gives a tensor."""
    for name, signature in TENSOR_SIGNATURES.items():
        if not signature.test:
            yield name, signature.arguments + 1, _solver(name, signature, locate)
    yield EMBED, 2, _solver(EMBED, TensorSignature(0, 1), locate)


def _solver(name: str, signature: TensorSignature, locate: Locate) -> Solver:
    def solve(*arguments: Any, location: Any = None, **rest: Any) -> list[tuple[Any, ...]]:
        given = arguments[:-1]
        _check(name, signature, given, locate(location))
        tensor = Term("tensor", Term(name, *given))
        try:
            return [(*given, unify_value(arguments[-1], tensor, {}))]
        except UnifyError:
            return []

    return solve


def tensor_test(name: str, arguments: tuple[Any, ...], position: Position | None) -> Term:
    """The probability, 0 or 1, of a test of tensors such as ``less_than(A, B)``."""
    _check(name, TENSOR_SIGNATURES[name], arguments, position)
    return Term("tensor", Term(name, *arguments))


def _check(name: str, signature: TensorSignature, arguments: tuple[Any, ...], position: Position | None) -> None:
    arity = signature.arguments + (not signature.test)
    for number, term in enumerate(arguments):
        if not (isinstance(term, Term) and is_ground(term)):
            raise NonGroundError(
                f"argument {number + 1} of the tensor function {name}/{arity} is not ground; bind it first", position
            )
    tensors = arguments[: signature.tensors]
    if tensors and all(_is_number(t) for t in tensors) and name != "list_to_tensor":
        shown = " and ".join(map(str, tensors))
        raise UnknownPredicateError(
            f"no clauses for {name}/{arity}; there is a tensor function of this name, but {shown} "
            f"{'is no tensor' if len(tensors) == 1 else 'are no tensors'}",
            position,
        )


def _is_number(term: Any) -> bool:
    items = list_items(term)
    if items is not None:
        return all(_is_number(i) for i in items)
    return isinstance(term, Constant) and isinstance(term.value, (int, float))
