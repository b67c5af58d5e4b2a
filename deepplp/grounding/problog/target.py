"""The ground program that ProbLog's engine writes, read as any other one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from problog.formula import LogicFormula

from deepplp.grounding.target import GroundAnd, GroundAtom, GroundNode, GroundOr, Key
from deepplp.program import Term

__all__ = ["ProblogTarget"]


class ProblogTarget(LogicFormula):  # type: ignore[misc]  # problog has no types
    """Where the engine writes the ground program.

    Unlike ProbLog's own formula it keeps no names and no exclusion constraints: atoms of one group become one
    categorical choice later on.
    """

    def __init__(self, **settings: bool) -> None:
        super().__init__(**settings)
        self._known_certain: dict[int, bool | None] = {}

    def negate(self, key: Key) -> Key:
        """The key of what holds where another does not.

        A formula that keeps all has nodes for what is certain, too. A negation that fails for certain is FALSE there as
        elsewhere, so that no goal after it is called: it may be a recursion that the negation ends.
        """
        certain = self._certain(abs(key)) if key and self.keep_all else None
        negated: Key = super().negate(key)
        if key and certain is not None:
            negated = self.FALSE if certain == (key > 0) else self.TRUE
        return negated

    def add_or(self, components: Iterable[Key], **options: object) -> Key:
        """The disjunction of nodes; where all proofs are kept, one and its negation are two proofs."""
        found = [c for c in components if c != self.FALSE]
        apart = self.keep_all and self._keep_duplicates and self.TRUE not in found and _has_opposites(found)
        either: Key = super().add_or(found, compact=False, **options) if apart else super().add_or(found, **options)
        return either

    def conjoin(self, first: int, second: int) -> Key:
        """The conjunction of two nodes."""
        joined: Key = self.add_and((first, second))
        return joined

    def _certain(self, key: int) -> bool | None:
        """Whether a node whose descendants are complete holds in all worlds, or in none; None where it may do either.

        A negated goal is complete before its negation is taken, so that what was found out stays true.
        """
        known = self._known_certain
        if key in known:
            return known[key]
        order: list[int] = []
        stack = [key]
        known[key] = None
        while stack:
            current = stack.pop()
            order.append(current)
            found = self.get_node(current)
            if type(found).__name__ == "atom":
                if found.probability is None or found.probability is False:  # a fact, or what no clause proves
                    known[current] = found.probability is None
                continue
            for child in found.children:
                if child and abs(child) not in known:
                    known[abs(child)] = None
                    stack.append(abs(child))
        changed = True
        while changed:  # once, but for cycles
            changed = False
            for current in reversed(order):
                if known[current] is None and self._follows(current):
                    known[current] = changed = True
        return known[key]

    def _follows(self, key: int) -> bool:
        """Whether a con- or disjunction holds in all worlds by what is known of its children."""
        found = self.get_node(key)
        kind = type(found).__name__
        if kind == "atom":
            return False
        values = (c == 0 or (c is not None and self._known_certain[abs(c)] is (c > 0)) for c in found.children)
        return all(values) if kind == "conj" else any(values)

    def add_name(self, name: Term, key: Key, label: str | None = None, keep_name: bool = False) -> None:
        """Names are kept for queries and evidence only: nothing else reads them."""
        if label is not None and label != self.LABEL_NAMED:
            self._names[label][name] = key

    def _add_constraint_me(self, group: Hashable, node: Key, cr_extra: bool = True) -> Key:
        return node

    def node(self, key: int) -> GroundNode:
        """The node of a positive key."""
        found = self.get_node(key)
        kind = type(found).__name__
        if kind == "atom":
            return GroundAtom(found.identifier, found.probability, found.group, found.name)
        return GroundAnd(found.children) if kind == "conj" else GroundOr(found.children)

    def atoms(self) -> Iterator[GroundAtom]:
        """All atoms, in the order in which they were made."""
        return (
            GroundAtom(n.identifier, n.probability, n.group, n.name) for n in self._nodes if type(n).__name__ == "atom"
        )


def _has_opposites(keys: Sequence[Key]) -> bool:
    return len(set(keys)) > len({abs(k) for k in keys if k is not None})
