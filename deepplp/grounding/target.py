"""The ground program while it is made: what engines write, and what is read off it afterwards.

A key names a node or its negation: ``k`` and ``-k`` for node k, counted from 1; ``TRUE``, which is 0, is certain, and
``FALSE``, which is None, is impossible. These are ProbLog's keys, so that both engines speak of the same nodes.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from deepplp.grounding.clause_base import Location
from deepplp.program import NeuralDeclaration, Term, number_of

__all__ = [
    "FALSE_KEY",
    "TRUE_KEY",
    "GroundAnd",
    "GroundAtom",
    "GroundNode",
    "GroundOr",
    "GroundProgram",
    "GroundTarget",
    "GroundWriter",
    "Key",
    "NeuralMark",
    "Probability",
    "TensorMark",
    "must_hold",
]

Key: TypeAlias = int | None
TRUE_KEY: Final = 0
FALSE_KEY: Final = None

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class NeuralMark:
    """The probability of a neural atom: which declaration decides it, on which inputs, among which values.

    Where the values hold independently of each other, ``label`` is the number of the atom's own; None elsewhere.
    """

    declaration: NeuralDeclaration
    inputs: tuple[Term, ...]
    domain: tuple[Term, ...]
    label: int | None = None


@dataclass(frozen=True, slots=True)
class TensorMark:
    """The probability of an atom that tensors decide, as a term; ``name`` is the atom as the program writes it.

    A second one is the probability of its negation, where that is not to be computed as 1 minus the first. Both are
    numbers where no tensor is among what they are computed from.
    """

    probabilities: tuple[Term | float, ...]
    name: Term
    location: Location


Probability: TypeAlias = Term | NeuralMark | TensorMark | float | None


@dataclass(frozen=True, slots=True)
class GroundAtom:
    """One value of a choice.

    Atoms of one ``group`` exclude each other; ``identifier`` tells them apart. A probabilistic fact has no group, and
    the number of its clause as identifier. Atoms of an annotated disjunction have the group ``(number, arguments)``
    and the identifier ``(number, arguments, head)``.
    """

    identifier: Hashable
    probability: Probability
    group: Hashable = None
    name: Term | None = None


@dataclass(frozen=True, slots=True)
class GroundAnd:
    """All children hold."""

    children: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class GroundOr:
    """At least one child holds."""

    children: tuple[Key, ...]


GroundNode: TypeAlias = GroundAtom | GroundAnd | GroundOr


def must_hold(values: Sequence[Probability], heads: int) -> bool:
    """Whether one of these values of a choice must hold: all of a network's, or all ``heads``, which sum to one.

    The probabilities of a few heads count for nothing, nor does that of a single one: 0 and 1 are numbers like others,
    by which nothing is left out that another number would give.
    """
    mark = values[0] if values else None
    if isinstance(mark, NeuralMark):
        return mark.label is None and len(mark.domain) == len(values)
    if len(values) < max(2, heads):
        return False
    try:
        terms = [p for p in values if isinstance(p, Term)]
        return len(terms) == len(values) and math.fsum(map(number_of, terms)) > 1.0 - _ROUNDING
    except ValueError:
        return False  # learnt, or a fault that is reported where the choice is made


class GroundProgram(Protocol):
    """A ground program that can be read."""

    def node(self, key: int) -> GroundNode:
        """The node of a positive key."""

    def atoms(self) -> Iterator[GroundAtom]:
        """All atoms, in the order in which they were made."""


class GroundWriter(GroundProgram, Protocol):
    """A ground program that answers are still being added to."""

    def add_or(self, children: Iterable[Key]) -> Key:
        """The disjunction of nodes, of which there is at least one."""

    def negate(self, key: Key) -> Key:
        """The key of what holds where another does not."""


class GroundTarget:
    """The ground program that tabled evaluation writes.

    Nodes of equal content are one node. A conjunction is kept as the pair of its children, a disjunction as the list
    of its own, which grows while it is on a cycle.
    """

    __slots__ = ("_atoms", "_conjunctions", "_disjunctions", "_nodes")

    def __init__(self) -> None:
        self._nodes: list[GroundAtom | tuple[int, int] | list[int]] = []
        self._atoms: dict[Hashable, int] = {}
        self._conjunctions: dict[tuple[int, int], int] = {}
        self._disjunctions: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, key: int) -> GroundNode:
        """The node of a positive key."""
        found = self._nodes[key - 1]
        if isinstance(found, tuple):
            return GroundAnd(found)
        return GroundOr(tuple(found)) if isinstance(found, list) else found

    def atoms(self) -> Iterator[GroundAtom]:
        """All atoms, in the order in which they were made."""
        return (n for n in self._nodes if isinstance(n, GroundAtom))

    def add_atom(
        self, identifier: Hashable, probability: Probability, group: Hashable = None, name: Term | None = None
    ) -> int:
        """The atom of an identifier; without a probability it is certain."""
        if probability is None:
            return TRUE_KEY
        found = self._atoms.get(identifier)
        if found is None:
            self._nodes.append(GroundAtom(identifier, probability, group, name))
            found = self._atoms[identifier] = len(self._nodes)
        return found

    def conjoin(self, first: int, second: int) -> Key:
        """The conjunction of two nodes."""
        if first == second or not second:
            return first
        if not first:
            return second
        if first == -second:
            return FALSE_KEY
        key = first, second
        found = self._conjunctions.get(key)
        if found is None:
            self._nodes.append(key)
            found = self._conjunctions[key] = len(self._nodes)
        return found

    def add_or(self, children: Iterable[Key]) -> Key:
        """The disjunction of nodes: a child itself where it is the only one, certain where two are opposites."""
        different = self._disjuncts(children)
        if len(different) < 2:
            return different[0] if different else FALSE_KEY
        if different[0] == TRUE_KEY:
            return TRUE_KEY
        content = tuple(different)
        found = self._disjunctions.get(content)
        if found is None:
            self._nodes.append(different)
            found = self._disjunctions[content] = len(self._nodes)
        return found

    def add_open_or(self, children: Iterable[Key]) -> Key:
        """A disjunction of its own, to which `add_disjunct` may add; a certain one is no node."""
        different = self._disjuncts(children)
        if not different or different[0] == TRUE_KEY:
            return TRUE_KEY if different else FALSE_KEY
        self._nodes.append(different)
        return len(self._nodes)

    @staticmethod
    def _disjuncts(children: Iterable[Key]) -> list[int]:
        """The different nodes among children in their order; ``[TRUE_KEY]`` where their disjunction is certain."""
        found: dict[int, None] = {}
        for child in children:
            if child is None or child in found:
                continue
            if child == TRUE_KEY or -child in found:
                return [TRUE_KEY]
            found[child] = None
        return list(found)

    def add_disjunct(self, key: int, child: int) -> None:
        """Add a node to a disjunction that `add_open_or` has made."""
        children = self._nodes[key - 1]
        assert isinstance(children, list)
        if child == TRUE_KEY:
            children[:] = [TRUE_KEY]
        elif child not in children:
            children.append(child)

    def is_certain(self, key: int) -> bool:
        """Whether a disjunction that `add_open_or` has made holds by one of its children that is certain."""
        children = self._nodes[key - 1]
        return isinstance(children, list) and TRUE_KEY in children

    @staticmethod
    def negate(key: Key) -> Key:
        """The key of what holds where another does not."""
        return TRUE_KEY if key is None else -key if key else FALSE_KEY
