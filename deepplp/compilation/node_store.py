"""The nodes of a decision diagram: each kept once, numbered, and taken back when nothing uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deepplp.compilation.compile_budget import Meter

__all__ = ["CONSTANT_LEVEL", "FALSE", "TRUE", "Ids", "NodeStore"]

FALSE = 0
TRUE = 1
CONSTANT_LEVEL = 1 << 60
_COLLECT_FROM = 200_000  # nodes made since the last collection, below which none is worth its time

Ids = tuple[int, ...]


class NodeStore:
    """Nodes by number: ``level[n]`` is what node n decides, ``kids[n]`` where each class of its values leads.

    ``widths`` are the numbers of classes at each level. Nodes 0 and 1 are the constants. ``meter`` counts what
    operations on the nodes cost.
    """

    def __init__(self, widths: Sequence[int], meter: Meter) -> None:
        self.widths = widths
        self.meter = meter
        self.level = [CONSTANT_LEVEL, CONSTANT_LEVEL]
        self.kids: list[Ids] = [(), ()]
        self._unique: list[dict[Ids, int]] = [{} for _ in widths]
        self._free: list[int] = []
        self._collect_at = _COLLECT_FROM

    @property
    def count(self) -> int:
        """The number of nodes, those that nothing uses any more included until they are collected."""
        return len(self.level) - len(self._free)

    def node(self, level: int, kids: Ids) -> int:
        """The node of a level with these kids: the one that there is, a new one, or the kid where all are one."""
        first = kids[0]
        if kids.count(first) == len(kids):
            return first
        unique = self._unique[level]
        node = unique.get(kids)
        if node is None:
            if self._free:
                node = self._free.pop()
                self.level[node] = level
                self.kids[node] = kids
            else:
                node = len(self.level)
                self.level.append(level)
                self.kids.append(kids)
            unique[kids] = node
        return node

    @property
    def is_worth_collecting(self) -> bool:
        """Whether there may be many nodes that nothing uses."""
        return self.count >= self._collect_at

    def collect(self, live: Iterable[int]) -> None:
        """Take back the nodes that the ``live`` nodes do not use; their numbers are given to later ones."""
        marked = bytearray(len(self.level))
        marked[FALSE] = marked[TRUE] = 1
        stack = list(live)
        while stack:
            node = stack.pop()
            if not marked[node]:
                marked[node] = 1
                stack.extend(self.kids[node])
        free = set(self._free)
        for node in range(2, len(self.level)):
            if not marked[node] and node not in free:
                del self._unique[self.level[node]][self.kids[node]]
                self.kids[node] = ()
                self._free.append(node)
        self._collect_at = max(_COLLECT_FROM, 2 * self.count)
