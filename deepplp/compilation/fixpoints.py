"""Two ways to solve the equations of a cycle for their least solution.

Both are given a `Cycle` and leave each needed node's function in ``cycle.known``. A cycle holds no negation, so each
equation is monotone in the nodes of the cycle, and there is one least solution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from deepplp.compilation.algebra import Algebra, Function
from deepplp.compilation.diagram import Diagram

__all__ = ["Cycle", "eliminate", "iterate"]


@dataclass(frozen=True, slots=True, eq=False)
class Cycle(Generic[Function]):
    """The equations of a cycle.

    ``reads`` says which nodes of the cycle each node reads, ``readers`` which read each node, and ``needed`` holds the
    nodes that are read outside of the cycle. ``known`` maps nodes to functions. ``equation(i)`` is the function of node
    i if the nodes that it reads are what ``known`` says at that moment.
    """

    nodes: tuple[int, ...]
    reads: dict[int, set[int]]
    needed: set[int]
    known: dict[int, Function]
    equation: Callable[[int], Function]

    def readers(self) -> dict[int, set[int]]:
        """Which nodes of the cycle read each node."""
        found: dict[int, set[int]] = {i: set() for i in self.nodes}
        for reader, below in self.reads.items():
            for index in below:
                found[index].add(reader)
        return found


def iterate(diagram: Algebra[Function], cycle: Cycle[Function]) -> None:
    """Start from false and apply the equations until nothing changes.

    Functions are canonical, so equality shows that nothing changes. A node that no other reads is worked out last.
    """
    readers, known = cycle.readers(), cycle.known
    known.update(dict.fromkeys(cycle.nodes, diagram.false))
    # A component's deepest nodes stand first, so that a round carries news as far as it goes.
    inner = [i for i in cycle.nodes if readers[i]]
    waiting = set(inner)
    while waiting:
        for index in inner:
            if index in waiting:
                waiting.discard(index)
                function = cycle.equation(index)
                if function != known[index]:
                    known[index] = function
                    waiting.update(i for i in readers[index] if readers[i])
    for index in cycle.nodes:
        if not readers[index]:
            known[index] = cycle.equation(index)


def eliminate(diagram: Diagram, cycle: Cycle[int]) -> None:
    """Eliminate one node after another, then put in what is known.

    Each equation x = f(x, …) is monotone, and its least solution is x = f(false, …): over truth values, f(false) is
    false, or f(f(false)) = f(true) is true as well. Bekić's theorem carries this to several equations.
    """
    number = {index: i for i, index in enumerate(cycle.nodes)}
    for index in cycle.nodes:
        cycle.known[index] = diagram.unknown(number[index])
    equations = {index: cycle.equation(index) for index in cycle.nodes}
    reads = {index: set(below) for index, below in cycle.reads.items()}
    order = _eliminated(diagram, cycle, number, equations, reads)
    wanted = set(cycle.needed)
    for index in order:
        if index in wanted:
            wanted |= reads[index]
    for index in reversed(order):
        if index in wanted:
            for below in sorted(reads[index], key=number.__getitem__):
                equations[index] = _put_in(diagram, equations[index], number[below], equations[below])
            cycle.known[index] = equations[index]


def _eliminated(
    diagram: Diagram,
    cycle: Cycle[int],
    number: dict[int, int],
    equations: dict[int, int],
    reads: dict[int, set[int]],
) -> list[int]:
    """Put each node's equation into those that read it, those first whose choices end first in the order.

    Then what remains to be read stands below all choices made so far, and a diagram's nodes at a level are what the
    nodes at that cut may be to each other. Nodes that are needed come last. What is left of ``reads`` are nodes that
    come later in the order that is returned.
    """
    readers = cycle.readers()
    deepest = {i: diagram.deepest(equations[i]) for i in number}
    order = sorted(number, key=lambda i: (i in cycle.needed, deepest[i], number[i]))
    for index in order:
        if index in reads[index]:
            equations[index], _ = diagram.without(equations[index], number[index])
            reads[index].discard(index)
            readers[index].discard(index)
        for below in reads[index]:
            readers[below].discard(index)
        for reader in sorted(readers[index]):
            equations[reader] = _put_in(diagram, equations[reader], number[index], equations[index])
            reads[reader].discard(index)
            reads[reader] |= reads[index]
            for below in reads[index]:
                readers[below].add(reader)
        diagram.collect([*cycle.known.values(), *equations.values()])
    return order


def _put_in(diagram: Diagram, function: int, number: int, value: int) -> int:
    """A function, monotone in an unknown, with a function in the unknown's place."""
    low, high = diagram.without(function, number)
    if low == high:
        return low
    return diagram.apply([low, high, value], [(True, frozenset([0, (False, frozenset([1, 2]))]))])[0]
