"""The ground program that ProbLog's engine writes, read as any other one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from problog.formula import LogicFormula

from deepplp.grounding.target import GroundAnd, GroundAtom, GroundNode, GroundOr, Key
from deepplp.program import Term

__all__ = ["ProblogTarget"]


class ProblogTarget(LogicFormula):  # type: ignore[misc]  # problog has no types
    """Where the engine writes the ground program.

    Unlike ProbLog's own formula it keeps no names and no exclusion constraints: atoms of one group become one
    categorical choice later on.
    """

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
