"""What the compiler asks of a diagram, ours or PySDD's: functions of choices, and a view of their nodes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from deepplp.compilation.residual import TwoLevel

__all__ = ["Algebra", "Decision", "Function", "bottom_up"]

Function = TypeVar("Function", bound=Hashable)
"""A function as a diagram hands it out. Equal functions are equal, and hash alike: diagrams are canonical."""


class Decision(NamedTuple):
    """One node of a diagram: the level of the choice that it decides, and where the choice's values lead.

    A branch is a set of the choice's classes, in ascending order, and the node below; classes that lead to false have
    none. Node 0 is false and node 1 is true; neither is a decision.
    """

    node: int
    level: int
    branches: Sequence[tuple[tuple[int, ...], int]]


class Algebra(Protocol[Function]):
    """Functions of encoded choices and their operations. Each operation counts what it costs on a `Meter`."""

    @property
    def false(self) -> Function:
        """The function that never holds."""

    @property
    def nodes(self) -> int:
        """The number of nodes that are held."""

    def value(self, index: int, value: int) -> Function:
        """The function "choice ``encoded[index]`` takes this value"."""

    def negate(self, function: Function) -> Function:
        """The negation."""

    def conjoin(self, functions: Iterable[Function]) -> Function:
        """The conjunction; of none it is true."""

    def apply(self, signals: Sequence[Function], formulas: Sequence[TwoLevel]) -> list[Function]:
        """The functions that formulas over signals stand for, ``signals[i]`` being the function of signal i."""

    def top(self, function: Function) -> int:
        """The level of the first choice that a function depends on; larger than all levels for a constant."""

    def collect(self, live: Iterable[Function]) -> None:
        """Take back the nodes that the ``live`` functions do not use, if there may be many."""

    def number(self, function: Function) -> int:
        """The number of a function's node."""

    def decisions(self, functions: Sequence[Function]) -> Iterator[Decision]:
        """The nodes that the functions use, the constants left out, each behind those below it."""


def bottom_up(roots: Iterable[int], below: Callable[[int], Iterable[int]]) -> list[int]:
    """The nodes that roots use, the constants 0 and 1 left out, each behind those below it."""
    found: dict[int, None] = {}
    seen = {0, 1}
    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in found or node < 2:
                stack.pop()
            elif node in seen:
                found[node] = None
                stack.pop()
            else:
                seen.add(node)
                stack.extend([n for n in below(node) if n not in seen])
    return list(found)
