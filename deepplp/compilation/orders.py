"""Orders of the choices: which stands above which in the diagram. It decides how large the circuit becomes.

All are the same in every process. An order is a function of the formula and its parts; `ORDERS` lists them by name, in
which order they are tried.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping

from deepplp.compilation.frontier import frontier_order
from deepplp.compilation.parts import Parts
from deepplp.compilation.separation import separation_order
from deepplp.formula import Atom, Formula, depth_first_order

__all__ = ["CYCLES_ORDER", "DEFAULT_ORDER", "ORDERS"]

DEFAULT_ORDER = "depth first"
CYCLES_ORDER = "separation"
_DENSE = 256  # neighbours of a node, above which eliminating it no longer joins them
_ROUNDS = 30  # of the force-directed order, at most

Links = dict[int, list[int]]


def _program_order(formula: Formula, parts: Parts) -> tuple[int, ...]:
    """The choices as the engine met them."""
    return tuple(sorted(depth_first_order(formula)))


def _links(formula: Formula, parts: Parts) -> tuple[Links, dict[int, list[int]]]:
    """The formula as an undirected graph over the nodes that are kept, and the choices that each node reads."""
    links: Links = {}
    reads: dict[int, list[int]] = {}
    for part in parts.parts:
        for index in part.nodes:
            links.setdefault(index, [])
            for literal in parts.literals(index):
                other = abs(literal) - 1
                node = formula.nodes[other]
                if isinstance(node, Atom):
                    reads.setdefault(index, []).append(node.choice)
                elif other != index:
                    links[index].append(other)
                    links.setdefault(other, []).append(index)
    return links, reads


def _with_all(formula: Formula, found: Iterable[int]) -> tuple[int, ...]:
    """An order made whole with the choices that only goals read."""
    everything = depth_first_order(formula)
    reached = set(everything)
    return tuple(dict.fromkeys([c for c in found if c in reached] + list(everything)))


def _breadth_first(formula: Formula, parts: Parts) -> tuple[int, ...]:
    """Node by node, breadth first from a node at the graph's rim, neighbours with few links first.

    Cuthill and McKee, "Reducing the bandwidth of sparse symmetric matrices", ACM 1969.
    """
    links, reads = _links(formula, parts)
    degree = {i: len(set(n)) for i, n in links.items()}
    seen: dict[int, None] = {}
    for start in sorted(links, key=lambda i: (degree[i], i)):
        if start in seen:
            continue
        rim = _layers(start, links, {})[-1]
        layer = [min(rim, key=lambda i: (degree[i], i))]
        seen[layer[0]] = None
        while layer:
            below: list[int] = []
            for index in layer:
                for other in sorted(set(links[index]), key=lambda i: (degree[i], i)):
                    if other not in seen:
                        seen[other] = None
                        below.append(other)
            layer = below
    return _with_all(formula, (c for index in seen for c in reads.get(index, ())))


def _layers(start: int, links: Links, seen: dict[int, None]) -> list[list[int]]:
    layers = [[start]]
    seen[start] = None
    while True:
        below = [o for index in layers[-1] for o in links[index] if o not in seen and seen.setdefault(o) is None]
        if not below:
            return layers
        layers.append(below)


def _elimination(formula: Formula, parts: Parts) -> tuple[int, ...]:
    """Node by node as they are eliminated from the graph, one with the fewest neighbours next; ties by number.

    Eliminating a node joins its neighbours. Rose, "A graph-theoretic study of the numerical solution of sparse positive
    definite systems of linear equations", 1972.
    """
    links, reads = _links(formula, parts)
    neighbours = {i: set(n) for i, n in links.items()}
    heap = [(len(n), i) for i, n in neighbours.items()]
    heapq.heapify(heap)
    found: list[int] = []
    while heap:
        size, index = heapq.heappop(heap)
        if index not in neighbours or size != len(neighbours[index]):
            continue
        others = neighbours.pop(index)
        found.extend(reads.get(index, ()))
        for other in others:
            neighbours[other].discard(index)
            if len(others) <= _DENSE:
                neighbours[other] |= others - {other}
            heapq.heappush(heap, (len(neighbours[other]), other))
    return _with_all(formula, found)


def _force(formula: Formula, parts: Parts) -> tuple[int, ...]:
    """Every node is pulled to the middle of what it reads, every choice to that of its readers, until the spans settle.

    Aloul, Markov, Sakallah, "FORCE: A fast and easy-to-implement variable-ordering heuristic", GLSVLSI 2003.
    """
    edges: list[list[int]] = []  # vertices: choices as -c - 1, nodes as they are
    for part in parts.parts:
        for index in part.nodes:
            edge: dict[int, None] = {index: None}
            for literal in parts.literals(index):
                node = formula.nodes[abs(literal) - 1]
                edge[-node.choice - 1 if isinstance(node, Atom) else abs(literal) - 1] = None
            edges.append(list(edge))
    place: dict[int, float] = {-c - 1: float(i) for i, c in enumerate(depth_first_order(formula))}
    for members in edges:
        known = [place[v] for v in members if v in place]
        for vertex in members:
            place.setdefault(vertex, sum(known) / len(known) if known else 0.0)
    best, least = dict(place), _span(edges, place)
    for _ in range(_ROUNDS):
        pulls: dict[int, list[float]] = {}
        for members in edges:
            middle = sum(place[v] for v in members) / len(members)
            for vertex in members:
                pulls.setdefault(vertex, []).append(middle)
        wanted = {v: sum(p) / len(p) for v, p in pulls.items()}
        place = {v: float(i) for i, v in enumerate(sorted(wanted, key=lambda v: (wanted[v], v)))}
        span = _span(edges, place)
        if span >= least:
            break
        best, least = dict(place), span
    choices = [v for v in best if v < 0]
    return _with_all(formula, (-v - 1 for v in sorted(choices, key=lambda v: (best[v], v))))


def _span(edges: list[list[int]], place: Mapping[int, float]) -> float:
    return sum(max(places) - min(places) for places in ([place[v] for v in edge] for edge in edges))


ORDERS: Mapping[str, Callable[[Formula, Parts], tuple[int, ...]]] = {
    DEFAULT_ORDER: lambda formula, parts: depth_first_order(formula),
    "deepest first": lambda formula, parts: depth_first_order(formula, deepest_first=True),
    "frontier": frontier_order,
    CYCLES_ORDER: separation_order,
    "breadth first": _breadth_first,
    "force": _force,
    "elimination": _elimination,
    "program": _program_order,
}
