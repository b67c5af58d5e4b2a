"""How a formula is cut into the parts that are compiled one after another.

A part is worked out in one pass: several nodes that read the same others, such as the values of one variable given
those of its parents, with the conjunctions (or disjunctions) below them that nothing else reads.

For example, let a and b be coins and d a die, and a weather with two values that depends on all three. Nodes 1, 2 and 3
are the atoms "a is heads", "b is heads" and "d is 1", and the rules of the weather are

    4 = 1 and 3        5 = 2 and not 3            6 = 4 or 5    (it is dry)
    7 = not 1 and 3    8 = not 2 and not 3        9 = 7 or 8    (it is wet)
    10 = 6 and 2       (we walk with b)

Nodes 4, 5, 7 and 8 are read once, by a disjunction, so they are absorbed: the items of node 6 are (and, 1 3) and
(and, 2 -3). Nodes 6 and 9 read the same choices and no other nodes, so they are one part, (6, 9), worked out in one
pass. Node 10 reads node 6, so it is a part of its own behind that one. (Items hold literals, which are one more than
these numbers: `Formula` says why.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepplp.formula import Atom, Formula, Node, Or, components_of

__all__ = ["Item", "Part", "Parts"]

_WIDEST = 32  # literals of a node that may be absorbed, and that may be worked out in one pass with others
_SHORT = 8  # the same for a node that is absorbed by several others

Item = tuple[bool | None, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """Nodes of a formula that are worked out together; if ``cyclic``, each is one of a least fixpoint's equations."""

    nodes: tuple[int, ...]
    cyclic: bool


class Parts:
    """The parts of a formula, each behind those that it reads, and what each node is in terms of other nodes."""

    def __init__(self, formula: Formula) -> None:
        self._formula = formula
        found = components_of(formula)
        components, cyclic = [c.nodes for c in found], [c.cyclic for c in found]
        self._users: dict[int, list[int]] = {}  # of a node and of its negation alike
        self._negated: set[int] = set()  # nodes that something reads negated
        for component in components:
            for index in component:
                for literal in _children(formula.nodes[index]):
                    self._users.setdefault(abs(literal) - 1, []).append(index)
                    if literal < 0:
                        self._negated.add(-literal - 1)
        self._goals = {abs(g.literal) - 1 for g in (*formula.queries, *formula.evidence)}
        self._items: dict[int, list[Item]] = {}
        self._absorbed: set[int] = set()
        for component in components:
            for index in component:
                if not isinstance(formula.nodes[index], Atom):
                    self._items[index] = self._with_absorbed(index)
                    if self._is_absorbed(index):
                        self._absorbed.add(index)
        self.parts = tuple(self._grouped(components, cyclic))
        self.longest_cycle = max((len(p.nodes) for p in self.parts if p.cyclic), default=0)
        self.uses = [0] * len(formula.nodes)
        """How often parts and goals read each node."""
        for part in self.parts:
            for index in part.nodes:
                for literal in self.literals(index):
                    self.uses[abs(literal) - 1] += 1
        for index in self._goals:
            self.uses[index] += 1

    def _with_absorbed(self, index: int) -> list[Item]:
        """A node's items, absorbed nodes of its own kind replaced by their literals."""
        node = self._formula.nodes[index]
        items: list[Item] = []
        for literal in _children(node):
            child = literal - 1
            if child not in self._absorbed:  # a negated child never is
                items.append((None, (literal,)))
            elif isinstance(self._formula.nodes[child], Or) == isinstance(node, Or):
                items.extend(self._items[child])
            else:
                kind = isinstance(self._formula.nodes[child], Or)
                items.append((kind, tuple(literals[0] for _, literals in self._items[child])))
        return items

    def _is_absorbed(self, index: int) -> bool:
        """Whether a node's users take it in: it holds literals alone, and is read once.

        The body of an annotated disjunction is read by the conjunctions of all its heads, each of which is read once;
        they all absorb it. A node whose users have been seen already, as on a cycle, is not absorbed.
        """
        users = self._users.get(index, [])
        if index in self._goals or index in self._negated or any(u in self._items for u in users):
            return False
        if any(kind is not None for kind, _ in self._items[index]):
            return False
        if len(users) == 1:
            return len(self._items[index]) <= _WIDEST
        nodes = self._formula.nodes
        return len(self._items[index]) <= _SHORT and all(
            type(nodes[u]) is type(nodes[index]) and len(self._users.get(u, ())) == 1 for u in users
        )

    def _grouped(self, components: list[list[int]], cyclic: list[bool]) -> Iterator[Part]:
        groups: dict[object, list[int]] = {}
        kept = [tuple(i for i in c if i in self._items and i not in self._absorbed) for c in components]
        for nodes, is_cycle in zip(kept, cyclic, strict=True):
            if nodes and not is_cycle:
                groups.setdefault(self._key(nodes[0]), []).append(nodes[0])
        into = self._sole_readers(kept, cyclic, groups)
        for nodes, is_cycle in zip(kept, cyclic, strict=True):
            if nodes and nodes[0] in into:
                yield Part(into[nodes[0]] + nodes, True)
            elif is_cycle:
                if nodes not in into.values():
                    yield Part(nodes, True)
            elif nodes:
                group = groups[self._key(nodes[0])]
                if group[0] == nodes[0]:
                    yield Part(tuple(group), False)

    def _sole_readers(
        self, kept: Sequence[tuple[int, ...]], cyclic: Sequence[bool], groups: Mapping[object, Sequence[int]]
    ) -> dict[int, tuple[int, ...]]:
        """Nodes that alone read several nodes of a cycle, and are then worked out with it: one function, not several.

        Such is a vertex that all ways lead to and none from.
        """
        found: dict[int, tuple[int, ...]] = {}
        readers: dict[int, dict[int, None]] = {}
        for nodes in kept:
            for index in nodes:
                for literal in self.literals(index):
                    readers.setdefault(abs(literal) - 1, {})[index] = None
        for nodes, is_cycle in zip(kept, cyclic, strict=True):
            if not is_cycle or not self._goals.isdisjoint(nodes) or not self._negated.isdisjoint(nodes):
                continue
            outside = dict.fromkeys(r for i in nodes for r in readers.get(i, ()) if r not in nodes)
            if len(outside) != 1:
                continue
            (reader,) = outside
            several = sum(reader in readers.get(i, ()) for i in nodes) > 1
            # One that is itself on a cycle, or worked out with others, stays where it is.
            if several and reader not in found and groups.get(self._key(reader), ()) == [reader]:
                found[reader] = nodes
        return found

    def _key(self, index: int) -> object:
        """Nodes with equal keys read the same nodes and the same choices."""
        items = self._items[index]
        if len(items) > _WIDEST and all(kind is None for kind, _ in items):
            return index
        others: set[int] = set()
        choices: set[int] = set()
        for literal in self.literals(index):
            node = self._formula.nodes[abs(literal) - 1]
            if isinstance(node, Atom):
                choices.add(node.choice)
            else:
                others.add(abs(literal) - 1)
        return frozenset(others), frozenset(choices)

    def items(self, index: int) -> tuple[bool, list[Item]]:
        """Whether a node is a disjunction, and its items: (None, (literal,)) or an absorbed node's (kind, literals)."""
        return isinstance(self._formula.nodes[index], Or), self._items[index]

    def own_uses(self, part: Part, index: int) -> int:
        """How often the part itself reads one of its nodes."""
        return sum(index + 1 in self.literals(reader) for reader in part.nodes)

    def literals(self, index: int) -> list[int]:
        """The literals that a node reads, each once, those of the nodes that it has absorbed in their place."""
        return list(dict.fromkeys(literal for _, literals in self._items[index] for literal in literals))


def _children(node: Node) -> tuple[int, ...]:
    return () if isinstance(node, Atom) else node.children
