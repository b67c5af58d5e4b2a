"""The order of least separation: nodes are laid in a line so that few of them at a time have neighbours on both sides.

Nodes are neighbours where one reads the other, or where both hang on the same choice, whichever way the reading goes: a
cycle has no parts that could stand behind each other. What a diagram must remember at a level is then which of the
nodes at the cut are linked through the choices made so far. The least width of such a line is the graph's pathwidth.

Kinnersley, "The vertex separation number of a graph equals its path-width", Inf. Process. Lett. 1992.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from deepplp.compilation.parts import Parts
from deepplp.formula import Atom, Formula, depth_first_order

__all__ = ["separation_order"]

_STARTS = 4  # lines that are laid greedily and then improved
_MOVES = 50  # tried for each vertex; more found no better lines where this was tried
_EFFORT = 400_000  # vertices looked at while a line is improved: less than a tenth of a second
_LARGEST = 700.0  # exp of more overflows


@dataclass(frozen=True, slots=True)
class _Graph:
    """Parts, and the single nodes of cyclic ones: their neighbours, and the logarithm of how many states each adds."""

    neighbours: list[list[int]]
    weight: list[float]
    edges: list[tuple[int, tuple[int, ...]]]  # choices, and the vertices that hang on each


def separation_order(formula: Formula, parts: Parts) -> tuple[int, ...]:
    """The choices by the last of their vertices in the best line that a local search finds, then by the first."""
    graph = _graph(formula, parts)
    count = len(graph.neighbours)
    place = [0] * count
    for position, vertex in enumerate(_best_line(graph)):
        place[vertex] = position

    def rank(edge: tuple[int, tuple[int, ...]]) -> list[int]:
        return sorted((place[v] for v in edge[1]), reverse=True)

    reached = depth_first_order(formula)
    found = dict.fromkeys(choice for choice, _ in sorted(graph.edges, key=rank))
    found.update(dict.fromkeys(reached))  # choices that goals alone read
    return tuple(found)


def _graph(formula: Formula, parts: Parts) -> _Graph:
    home: dict[int, int] = {}
    weight: list[float] = []
    for part in parts.parts:
        for group in [(index,) for index in part.nodes] if part.cyclic else [part.nodes]:
            home.update(dict.fromkeys(group, len(weight)))
            # A node at the cut of a cycle may be linked with any other: Bell's numbers grow faster than powers of 2.
            weight.append(math.log(3.0 if part.cyclic else max(2, len(group))))
    linked: list[dict[int, None]] = [{} for _ in weight]
    hanging: dict[int, dict[int, None]] = {}
    for part in parts.parts:
        for index in part.nodes:
            for _, literals in parts.items(index)[1]:
                nodes = [(formula.nodes[abs(x) - 1], abs(x) - 1) for x in literals]
                vertices = dict.fromkeys([home[index], *(home[i] for n, i in nodes if not isinstance(n, Atom))])
                for node, _ in nodes:
                    if isinstance(node, Atom):
                        hanging.setdefault(node.choice, {}).update(vertices)
                for vertex in vertices:
                    linked[vertex].update(vertices)
    for vertices in hanging.values():
        for vertex in vertices:
            linked[vertex].update(vertices)
    neighbours = [[o for o in others if o != vertex] for vertex, others in enumerate(linked)]
    return _Graph(neighbours, weight, [(choice, tuple(v)) for choice, v in hanging.items()])


def _best_line(graph: _Graph) -> list[int]:
    """The best of several lines, each improved by moving one vertex at a time."""
    count = len(graph.neighbours)
    generator = random.Random(0)
    rounds = min(_MOVES * count, _EFFORT // (1 + count + sum(map(len, graph.neighbours))))
    best, least = list(range(count)), _cost(graph, range(count))
    for start in range(min(_STARTS, count)):
        line = _greedy(graph, generator if start else None)
        cost = _cost(graph, line)
        for _ in range(rounds):
            position, target = generator.randrange(count), generator.randrange(count)
            moved = line[:position] + line[position + 1 :]
            moved.insert(target, line[position])
            new = _cost(graph, moved)
            if new <= cost:
                line, cost = moved, new
        if cost < least:
            best, least = line, cost
    return best


def _greedy(graph: _Graph, generator: random.Random | None) -> list[int]:
    """Place next a neighbour of the vertices placed that brings the fewest new neighbours, ties by number or chance."""
    count = len(graph.neighbours)
    noise = [generator.random() if generator else i / count for i in range(count)]
    near = [0] * count  # how many neighbours are at the cut already
    line: dict[int, None] = {}
    rim: dict[int, None] = {}
    touched: set[int] = set()
    while len(line) < count:
        choose_from = rim or [v for v in range(count) if v not in line]
        vertex = min(choose_from, key=lambda v: (len(graph.neighbours[v]) - near[v] - (v in touched), noise[v]))
        rim.pop(vertex, None)
        line[vertex] = None
        for other in [vertex, *graph.neighbours[vertex]]:
            if other not in touched:
                touched.add(other)
                for third in graph.neighbours[other]:
                    near[third] += 1
            if other not in line:
                rim[other] = None
    return list(line)


def _cost(graph: _Graph, line: Sequence[int]) -> float:
    """The number of states at all cuts, each the product of what its vertices with neighbours on both sides add."""
    place = [0] * len(line)
    for position, vertex in enumerate(line):
        place[vertex] = position
    leaving = [0.0] * len(line)
    for position, vertex in enumerate(line):
        last = max([place[o] for o in graph.neighbours[vertex]], default=position)
        leaving[max(last, position)] += graph.weight[vertex]
    width = total = 0.0
    for position, vertex in enumerate(line):
        width += graph.weight[vertex]
        total += math.exp(min(width, _LARGEST))
        width -= leaving[position]
    return total
