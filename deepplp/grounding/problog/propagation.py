"""What follows from assumptions about a ground program: unit propagation, by which impossible lists are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

from deepplp.grounding.problog.vocabulary import ClauseStore, FormulaNode, FormulaWriter
from deepplp.grounding.target import Key, must_hold

__all__ = ["Known", "children_of", "heads_of"]


def children_of(formula: FormulaWriter, key: int) -> tuple[int, ...]:
    """The literals below a node, but for those that are certain."""
    node = formula.get_node(key)
    return () if type(node).__name__ == "atom" else tuple(c for c in node.children if c)


def heads_of(group: Hashable, database: ClauseStore) -> int:
    """How many heads a choice's clause has, where it is one of the program's; 0 elsewhere."""
    if isinstance(group, tuple) and isinstance(group[0], int):
        return len(database.choices(group[0]))
    return 0


class Known:
    """What follows from literals that are assumed: unit propagation through a ground program, with its undoing.

    It finds most contradictions, not all: lists that only a deeper look would rule out get probability zero.
    """

    def __init__(self, formula: FormulaWriter, roots: Sequence[Key], database: ClauseStore) -> None:
        self._database = database
        self._nodes: dict[int, FormulaNode] = {}
        self._parents: dict[int, list[int]] = defaultdict(list)
        self._groups: dict[Hashable, list[int]] = defaultdict(list)
        self._holds: dict[int, bool] = {}
        self._trail: list[int] = []
        stack = [abs(r) for r in roots if r]
        while stack:
            key = stack.pop()
            if key in self._nodes:
                continue
            node = self._nodes[key] = formula.get_node(key)
            if type(node).__name__ == "atom":
                if node.group is not None:
                    self._groups[node.group].append(key)
                continue
            for child in children_of(formula, key):
                self._parents[abs(child)].append(key)
                stack.append(abs(child))
        self._complete = {group for group, atoms in self._groups.items() if self._is_complete(group, atoms)}
        for key, node in self._nodes.items():
            if type(node).__name__ == "disj" and 0 in node.children:  # a node on a cycle that is certain
                self.assume(key)

    def _is_complete(self, group: Hashable, atoms: list[int]) -> bool:
        return must_hold([self._nodes[a].probability for a in atoms], heads_of(group, self._database))

    def mark(self) -> int:
        """How much is known."""
        return len(self._trail)

    def undo(self, mark: int) -> None:
        """Forget what became known since."""
        while len(self._trail) > mark:
            del self._holds[self._trail.pop()]

    def assume(self, literal: int) -> bool:
        """Add a literal and what follows from it; False where that contradicts what is known."""
        waiting = [literal]
        while waiting:
            found = waiting.pop()
            key, holds = abs(found), found > 0
            if key in self._holds:
                if self._holds[key] != holds:
                    return False
                continue
            self._holds[key] = holds
            self._trail.append(key)
            node = self._nodes[key]
            if type(node).__name__ != "atom":
                waiting += self._below(key)
            elif holds and node.group is not None:
                waiting += [-other for other in self._groups[node.group] if other != key]
            elif node.group in self._complete:
                open_values = [v for v in self._groups[node.group] if self._holds.get(v, True)]
                if not open_values:
                    return False
                waiting += open_values if len(open_values) == 1 else []
            for parent in self._parents[key]:
                waiting += self._above(parent) if parent not in self._holds else self._below(parent)
        return True

    def _value(self, literal: Key) -> bool | None:
        if literal is None:
            return False
        if literal == 0:
            return True
        holds = self._holds.get(abs(literal))
        return holds if holds is None or literal > 0 else not holds

    def _above(self, key: int) -> list[int]:
        """The node itself, where its children decide it."""
        node = self._nodes[key]
        deciding = type(node).__name__ == "disj"  # one child that holds decides a disjunction
        values = [self._value(c) for c in node.children]
        if deciding in values:
            return [key if deciding else -key]
        return [] if None in values else [-key if deciding else key]

    def _below(self, key: int) -> list[int]:
        """The children that a known node decides: all of them, or the last one that may make it what it is."""
        node = self._nodes[key]
        disjunction = type(node).__name__ == "disj"
        if self._holds[key] != disjunction:
            return [c if self._holds[key] else -c for c in node.children if c]
        if disjunction in map(self._value, node.children):
            return []
        unknown = [c for c in node.children if c and self._value(c) is None]
        return [c if self._holds[key] else -c for c in unknown] if len(unknown) == 1 else []
