"""Predicates of tensors that every program may call, such as ``rbf(A, B, P)``, unless it defines them itself.

Grounding computes no tensor. ``P`` becomes the term ``tensor(rbf(A, B))``, which says how to compute it when it is
needed: as a network's argument, or as a probability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from deepplp.errors import NonGroundError, Position, UnknownPredicateError
from deepplp.grounding.tensor_tests import TENSOR_TESTS
from deepplp.program import Constant, Term, is_ground, list_items

__all__ = ["EMBED", "TENSOR_SIGNATURES", "TensorSignature", "tensor_predicates", "tensor_term"]

EMBED = "embed"


@dataclass(frozen=True, slots=True)
class TensorSignature:
    """How many tensors a function takes, then how many numbers."""

    tensors: int
    parameters: int = 0

    @property
    def arguments(self) -> int:
        """The number of arguments, the result left out."""
        return self.tensors + self.parameters

    @property
    def arity(self) -> int:
        """The predicate's number of arguments."""
        return self.arguments + 1


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
    }
)
_EMBED_SIGNATURE = TensorSignature(0, 1)


def tensor_predicates() -> Iterator[tuple[str, int]]:
    """Name and arity of every predicate of tensors."""
    for name, signature in TENSOR_SIGNATURES.items():
        yield name, signature.arity
    yield EMBED, _EMBED_SIGNATURE.arity
    yield from TENSOR_TESTS.items()


def tensor_term(name: str, arguments: Sequence[object], position: Position | None) -> Term:
    """The term that says how a function computes its tensor from arguments, the result left out.

    Raises:
        NonGroundError: an argument holds a variable.
        UnknownPredicateError: the arguments are numbers and no tensors.

    >>> tensor_term("rbf", [Term("a"), Term("b")], None)
    tensor(rbf(a,b))
    """
    signature = TENSOR_SIGNATURES.get(name, _EMBED_SIGNATURE)
    given: list[Term] = []
    for number, term in enumerate(arguments):
        if not (isinstance(term, Term) and is_ground(term)):
            raise NonGroundError(
                f"argument {number + 1} of the tensor function {name}/{signature.arity} is not ground; bind it first",
                position,
            )
        given.append(term)
    tensors = given[: signature.tensors]
    if tensors and all(map(_is_number, tensors)) and name != "list_to_tensor":
        shown = " and ".join(map(str, tensors))
        raise UnknownPredicateError(
            f"no clauses for {name}/{signature.arity}; there is a tensor function of this name, but {shown} "
            f"{'is no tensor' if len(tensors) == 1 else 'are no tensors'}",
            position,
        )
    return Term("tensor", Term(name, *given))


def _is_number(term: Term) -> bool:
    items = list_items(term)
    if items is not None:
        return all(map(_is_number, items))
    return isinstance(term, Constant) and isinstance(term.value, (int, float))
