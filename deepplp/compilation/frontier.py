"""The order of least frontier: parts are placed behind those that they read, so that few functions stay open at a time.

What a query's diagram must remember at a level is what the parts placed so far are, as far as later parts still read
them. For a Bayesian network this is exact: the states of the frontier are the nodes of the diagram.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from deepplp.compilation.parts import Parts
from deepplp.formula import Atom, Formula, depth_first_order, roots_of

__all__ = ["frontier_order"]

_STARTS = 8
_EFFORT = 3_000_000  # parts looked at while the order is improved: one or two seconds
_LARGEST = 700.0  # exp of more overflows


@dataclass(frozen=True, slots=True)
class _Graph:
    """The parts as a directed graph: what each reads and is read by, and the logarithm of how many states it has."""

    reads: list[list[int]]
    users: list[list[int]]
    weight: list[float]
    cones: list[list[int]]  # for each query's part, the parts below it and below the evidence


def frontier_order(formula: Formula, parts: Parts) -> tuple[int, ...]:
    """The choices by the parts that read them first, the parts by a local search for the least total frontier."""
    graph, choices = _graph(formula, parts)
    count = len(graph.reads)
    cost_of_one = 1 + sum(map(len, graph.cones))
    generator = random.Random(0)
    starts = max(1, min(_STARTS, _EFFORT // (1 + count * 8)))
    candidates = [list(range(count)), *(_greedy(graph, generator if i else None) for i in range(starts))]
    costs = [_cost(graph, order) for order in candidates]
    best = min(range(len(candidates)), key=costs.__getitem__)
    order = _improved(graph, candidates[best], costs[best], _EFFORT // cost_of_one, generator)
    found: dict[int, None] = {}
    for part in order:
        found.update(dict.fromkeys(choices[part]))
    found.update(dict.fromkeys(depth_first_order(formula)))
    return tuple(found)


def _graph(formula: Formula, parts: Parts) -> tuple[_Graph, list[list[int]]]:
    home = {index: number for number, part in enumerate(parts.parts) for index in part.nodes}
    reads: list[list[int]] = []
    choices: list[list[int]] = []
    for part in parts.parts:
        below: dict[int, None] = {}
        own: dict[int, None] = {}
        for index in part.nodes:
            for literal in parts.literals(index):
                node = formula.nodes[abs(literal) - 1]
                if isinstance(node, Atom):
                    own[node.choice] = None
                elif home[abs(literal) - 1] != len(reads):
                    below[home[abs(literal) - 1]] = None
        reads.append(list(below))
        choices.append(list(own))
    users: list[list[int]] = [[] for _ in reads]
    for number, below_part in enumerate(reads):
        for other in below_part:
            users[other].append(number)
    weight = [math.log(max(2, len(part.nodes))) for part in parts.parts]
    known = [home[abs(g.literal) - 1] for g in formula.evidence if abs(g.literal) - 1 in home]
    tops = dict.fromkeys(home[r] for r in roots_of(formula) if r in home)
    cones: list[list[int]] = []
    room = _EFFORT // 10
    for top in tops:
        cone = _cone([top, *known], reads)
        room -= len(cone)
        if room < 0 and cones:
            break
        cones.append(cone)
    return _Graph(reads, users, weight, cones), choices


def _cone(tops: Sequence[int], reads: Sequence[Sequence[int]]) -> list[int]:
    seen = dict.fromkeys(tops)
    stack = list(seen)
    while stack:
        for other in reads[stack.pop()]:
            if other not in seen:
                seen[other] = None
                stack.append(other)
    return list(seen)


def _greedy(graph: _Graph, generator: random.Random | None) -> list[int]:
    """Place next the part that adds least to the frontier, ties by its number or by chance."""
    count = len(graph.reads)
    missing = [len(r) for r in graph.reads]
    open_users = [len(u) for u in graph.users]
    noise = [generator.random() if generator else i / count for i in range(count)]
    ready = [i for i in range(count) if missing[i] == 0]
    order: list[int] = []
    while ready:

        def added(part: int) -> tuple[float, float]:
            freed = sum(graph.weight[r] for r in graph.reads[part] if open_users[r] == 1)
            return round((graph.weight[part] if graph.users[part] else 0.0) - freed, 9), noise[part]

        part = min(ready[-_WINDOW:], key=added)
        ready.remove(part)
        order.append(part)
        for below in graph.reads[part]:
            open_users[below] -= 1
        for user in graph.users[part]:
            missing[user] -= 1
            if missing[user] == 0:
                ready.append(user)
    return order


_WINDOW = 400  # of the parts that are ready, how many of the latest are compared


def _cost(graph: _Graph, order: Sequence[int]) -> float:
    """The number of frontier states of all queries' diagrams, level by level."""
    place = [0] * len(order)
    for position, part in enumerate(order):
        place[part] = position
    total = 0.0
    for cone in graph.cones:
        sequence = sorted(cone, key=place.__getitem__)
        last: dict[int, int] = {}
        for position, part in enumerate(sequence):
            for below in graph.reads[part]:
                last[below] = position
        leaving: dict[int, float] = {}
        for part, position in last.items():
            leaving[position] = leaving.get(position, 0.0) + graph.weight[part]
        width, states = 0.0, 0.0
        for position, part in enumerate(sequence):
            states += math.exp(min(width, _LARGEST))
            width += graph.weight[part] - leaving.get(position, 0.0)
        total += states * math.exp(graph.weight[cone[0]])
    return total


def _improved(graph: _Graph, order: list[int], cost: float, rounds: int, generator: random.Random) -> list[int]:
    """Move parts about, each between those that it reads and those that read it, and keep what is no worse."""
    count = len(order)
    if count < 3:
        return order
    for _ in range(min(rounds, 200 * count)):
        position = generator.randrange(count)
        part = order[position]
        rest = order[:position] + order[position + 1 :]
        place = {p: i for i, p in enumerate(rest)}
        low = max((place[r] + 1 for r in graph.reads[part]), default=0)
        high = min((place[u] for u in graph.users[part]), default=count - 1)
        target = generator.randint(low, high)
        if target == position:
            continue
        moved = [*rest[:target], part, *rest[target:]]
        new = _cost(graph, moved)
        if new <= cost:
            order, cost = moved, new
    return order
