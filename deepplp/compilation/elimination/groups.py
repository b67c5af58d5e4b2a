"""Gates of a formula that make one variable, and what decides them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from deepplp.compilation.elimination.propagation import Literal, Open
from deepplp.formula import Atom

__all__ = ["LONG", "MOST_HEADS", "Group", "Input", "Row", "read_below"]

LONG = 16
"""Inputs of a group that is to be a chain."""
MOST_HEADS = 60
"""The heads of a group, at most: which of them hold is one number."""

Input = tuple[str, int]
"""("choice", its number), ("gate", its number), or ("group", the number of its first head)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A choice that only counts where its ``body`` holds; ``heads`` are the values that make each head hold."""

    choice: int
    body: tuple[Literal, ...]
    heads: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Group:
    """Gates that make one variable.

    ``heads`` are those that others may read; the ``rows`` and the children of the heads that are no rows
    (``children``, by head) decide them. ``inlined`` are gates below that are no variables by themselves. ``guests`` are
    groups without rows that read nothing else than the group does: together they may be one variable.
    """

    heads: tuple[int, ...]
    rows: list[Row] = field(default_factory=list)
    children: dict[int, tuple[Literal, ...]] = field(default_factory=dict)
    inlined: set[int] = field(default_factory=set)
    guests: list[Group] = field(default_factory=list)

    @property
    def literals(self) -> list[Literal]:
        """What decides the heads."""
        return [c for kids in self.children.values() for c in kids] + [c for row in self.rows for c in row.body]

    def reads(self, gates: Sequence[Open]) -> tuple[list[int], list[int]]:
        """What the literals read: see `read_below`."""
        return read_below(gates, self.literals, self.inlined)


def read_below(
    gates: Sequence[Open], literals: Iterable[Literal], inlined: Collection[int]
) -> tuple[list[int], list[int]]:
    """What literals read, each once: the gates that are no more looked into, and the inlined ones on the way there."""
    leaves: list[int] = []
    taken: list[int] = []
    stack = list(dict.fromkeys(abs(literal) - 1 for literal in literals))[::-1]
    seen = set(stack)
    while stack:
        number = stack.pop()
        gate = gates[number]
        if isinstance(gate, Atom) or number not in inlined:
            leaves.append(number)
            continue
        taken.append(number)
        for child in gate.children:
            if abs(child) - 1 not in seen:
                seen.add(abs(child) - 1)
                stack.append(abs(child) - 1)
    return leaves, taken
