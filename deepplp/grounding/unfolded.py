"""A ground program that remembers why: every disjunction is an atom, every conjunction a derivation."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from deepplp.formula import BodyLiteral, ClauseSource, Derivation, Reason
from deepplp.grounding.target import FALSE_KEY, TRUE_KEY, GroundAnd, GroundAtom, GroundNode, GroundOr, Key
from deepplp.program import Term

__all__ = ["GroundDerivation", "GroundLiteral", "UnfoldedProgram"]


@dataclass(frozen=True, slots=True)
class GroundLiteral:
    """A `BodyLiteral` by its key."""

    term: Term
    positive: bool
    key: Key


@dataclass(frozen=True, slots=True)
class GroundDerivation:
    """A `Derivation` by its keys; ``decided`` says whether it depends on a choice at all."""

    clause: ClauseSource
    head: Term
    bindings: tuple[tuple[str, Term], ...]
    body: tuple[GroundLiteral, ...]
    decided: bool
    choice: Key

    @property
    def keys(self) -> tuple[Key, ...]:
        """What it is the conjunction of, each once, what is certain left out."""
        keys = [*(g.key for g in self.body), self.choice if self.decided else TRUE_KEY]
        return tuple(dict.fromkeys(k for k in keys if k != TRUE_KEY))

    @property
    def is_impossible(self) -> bool:
        """Whether it holds in no world, by two goals that are opposites."""
        keys = {k for k in self.keys if k}
        return any(-k in keys for k in keys)

    def with_literals(self, literal: Callable[[Key], int]) -> Derivation:
        """The derivation by the literals of its keys."""
        body = tuple(BodyLiteral(g.term, g.positive, literal(g.key)) for g in self.body)
        choice = literal(self.choice) if self.decided else None
        return Derivation(self.clause, self.head, self.bindings, body, choice)


class UnfoldedProgram:
    """Atoms with their derivations. Nothing is merged, and what is certain is not left out."""

    def __init__(self) -> None:
        self._nodes: list[GroundAtom | GroundDerivation | tuple[Term, list[int]]] = []
        self._atoms: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def add_choice(self, atom: GroundAtom) -> int:
        """The key of a value of a choice."""
        if atom.identifier not in self._atoms:
            self._atoms[atom.identifier] = self._add(atom)
        return self._atoms[atom.identifier]

    def add_atom(self, term: Term) -> int:
        """The key of an atom, which has no derivations yet."""
        return self._add((term, []))

    def derive(self, atom: int, derivation: GroundDerivation) -> None:
        """Add a derivation of an atom."""
        self.include(atom, self._add(derivation))

    def include(self, atom: int, key: int) -> None:
        """Let an atom hold where another node does."""
        node = self._nodes[atom - 1]
        assert isinstance(node, tuple)
        node[1].append(key)

    def _add(self, node: GroundAtom | GroundDerivation | tuple[Term, list[int]]) -> int:
        self._nodes.append(node)
        return len(self._nodes)

    def node(self, key: int) -> GroundNode:
        """The node of a positive key."""
        node = self._nodes[key - 1]
        if isinstance(node, GroundAtom):
            return node
        return GroundAnd(node.keys) if isinstance(node, GroundDerivation) else GroundOr(tuple(node[1]))

    def atoms(self) -> Iterator[GroundAtom]:
        """The values of choices, in the order in which they were added."""
        return (n for n in self._nodes if isinstance(n, GroundAtom))

    def reason(self, key: int, literal: Callable[[Key], int]) -> Reason:
        """Why a node holds, by the literals of keys."""
        node = self._nodes[key - 1]
        if isinstance(node, GroundAtom):
            return None
        return node.with_literals(literal) if isinstance(node, GroundDerivation) else node[0]

    def add_or(self, children: Iterable[Key]) -> Key:
        """The only child: every atom has one node."""
        (child,) = set(children)
        return child

    @staticmethod
    def negate(key: Key) -> Key:
        """The key of what holds where another does not."""
        return TRUE_KEY if key is None else -key if key else FALSE_KEY
