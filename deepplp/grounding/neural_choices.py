"""The choices that neural declarations make: the same ones, with the same errors, whichever engine meets them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from deepplp.errors import DomainError, NonGroundError
from deepplp.grounding.clause_base import NEURAL, ClauseTerm
from deepplp.grounding.target import NeuralMark
from deepplp.program import (
    RANGE_FUNCTOR,
    Constant,
    NeuralDeclaration,
    Term,
    Var,
    is_ground,
    list2term,
    number_of,
    readable,
)

__all__ = ["NeuralAtom", "NeuralChoice", "NeuralChoices", "domain_of"]

_MOST_VALUES = 1_000_000  # of a range in a domain


class NeuralAtom(NamedTuple):
    """An atom as an engine adds it to the ground program."""

    identifier: tuple[Hashable, ...]
    mark: NeuralMark
    group: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class NeuralChoice:
    """What a network decides on given inputs: its group of atoms, their probability, and the values in their order.

    A declaration ``nn/2`` has one atom, whose value is its output argument as it stands.
    """

    group: tuple[Hashable, ...]
    mark: NeuralMark
    values: tuple[Term, ...]

    def atom(self, number: int) -> NeuralAtom:
        """The atom of a value: one of the values of one choice, or a choice of its own where values are independent."""
        if self.mark.declaration.kind != "independent":
            return NeuralAtom((*self.group, number), self.mark, self.group)
        group = (*self.group, number)
        return NeuralAtom((*group, 0), replace(self.mark, label=number), group)


class NeuralChoices:
    """The choices of a program's neural declarations, by the arguments of ``'$neural'``."""

    def __init__(self, declarations: Sequence[NeuralDeclaration]) -> None:
        self._declarations = declarations
        self._domains: dict[int, tuple[Term, ...]] = {}  # of declarations whose domain holds no variable

    def declaration(self, number: Term) -> NeuralDeclaration:
        """The declaration that the first argument names."""
        return self._declarations[int(number)]

    def choice(
        self, declared: NeuralDeclaration, key: ClauseTerm, inputs: ClauseTerm, domain: ClauseTerm
    ) -> NeuralChoice | Term:
        """The choice of a declaration; where it declares a tensor, the term that says how that is computed.

        Raises:
            NonGroundError: the key or an input holds a variable, or the domain is no ground list.
            DomainError: the domain is empty, holds a value twice, has bounds that are no integers, or is too large.
        """
        if not isinstance(key, Term) or not isinstance(inputs, Term) or not is_ground(key, inputs):
            raise self._not_ground(declared, inputs)
        arguments = tuple(inputs.args)
        if declared.kind == "tensor":
            return Term("tensor", Term("nn", Term(declared.network), list2term(list(arguments))))
        group: tuple[Hashable, ...] = (NEURAL, declared.index, key)
        if declared.kind == "bernoulli":
            return NeuralChoice(group, NeuralMark(declared, arguments, ()), ())
        values = self._values(declared, domain)
        if isinstance(declared.domain, Var):
            group = (*group, domain)  # a variable of the clause, like those in the key
        return NeuralChoice(group, NeuralMark(declared, arguments, values), values)

    @staticmethod
    def _not_ground(declared: NeuralDeclaration, inputs: ClauseTerm) -> NonGroundError:
        given = inputs.args if isinstance(inputs, Term) else ()
        pairs = zip(declared.inputs, given, strict=True)
        free, value = next(((i, a) for i, a in pairs if not is_ground(a)), (declared.head, None))
        held = f" (it is {readable(value)})" if isinstance(value, Term) and value.arity else ""
        return NonGroundError(
            f"{declared} is reached while {free} is not ground{held}; bind it in the body or in the query",
            declared.position,
        )

    def _values(self, declared: NeuralDeclaration, domain: ClauseTerm) -> tuple[Term, ...]:
        if declared.index in self._domains:
            return self._domains[declared.index]
        values = tuple(_expanded(declared, domain))
        seen: set[str] = set()
        for value in values:
            if str(value) in seen:
                raise DomainError(f"the domain of {declared} holds {value} twice", declared.position)
            seen.add(str(value))
        if not values:
            raise DomainError(f"the domain of {declared} is empty", declared.position)
        if len(values) == 1 and _looks_like_a_range(values[0]):
            low, high = values[0].args
            raise DomainError(
                f"the domain of {declared} is the one term {low}-{high}; a range is {low}..{high}", declared.position
            )
        if declared.domain is not None and is_ground(declared.domain):
            self._domains[declared.index] = values
        return values


def _looks_like_a_range(value: Term) -> bool:
    is_pair = not isinstance(value, Constant) and value.functor == "'-'" and value.arity == 2
    return is_pair and all(isinstance(bound, Constant) and bound.is_integer() for bound in value.args)


def domain_of(declared: NeuralDeclaration) -> tuple[Term, ...] | None:
    """The values of a declaration's domain; None where a body binds it, or where it is at fault."""
    if declared.domain is None or not is_ground(declared.domain):
        return None
    try:
        return tuple(_expanded(declared, declared.domain))
    except (DomainError, NonGroundError):  # said where the network is asked
        return None


def _expanded(declared: NeuralDeclaration, domain: ClauseTerm) -> Iterator[Term]:
    """The values of a domain: the items of a list, each range in it spread out."""
    items: list[ClauseTerm] = []
    rest = domain
    while isinstance(rest, Term) and rest.functor == "." and rest.arity == 2:
        items.append(rest.args[0])
        rest = rest.args[1]
    if not (isinstance(rest, Term) and str(rest) == "[]"):
        items.append(rest)
    for item in items:
        if isinstance(item, Term) and item.functor == RANGE_FUNCTOR:
            low, high = (_integer(declared, bound) for bound in item.args)
            if high - low >= _MOST_VALUES:
                raise DomainError(
                    f"the domain of {declared} has more than {_MOST_VALUES:,} values, which no network could give",
                    declared.position,
                )
            yield from (Constant(i) for i in range(low, high + 1))
        elif isinstance(item, Term) and is_ground(item) and (len(items) > 1 or rest is not item):
            yield item
        else:
            raise NonGroundError(
                f"the domain of {declared} must be a list of ground values such as [0..9], bound in the body if it is "
                "a variable",
                declared.position,
            )


def _integer(declared: NeuralDeclaration, bound: ClauseTerm) -> int:
    if isinstance(bound, Constant) and isinstance(bound.functor, int):
        return bound.functor
    try:
        value = number_of(bound) if isinstance(bound, Term) and is_ground(bound) else None
    except ValueError:
        value = None
    if not isinstance(value, int):
        raise DomainError(f"the bounds of a range must be integers, not {bound}, in {declared}", declared.position)
    return value
