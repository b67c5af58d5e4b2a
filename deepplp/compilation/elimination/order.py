"""In which order the variables are eliminated: greedily, the one that costs least next."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["elimination_order"]

Links = dict[int, set[int]]


def elimination_order(scopes: Iterable[Sequence[int]], sizes: Mapping[int, int]) -> list[int]:
    """All variables of some scopes in the order in which they go; ``sizes`` are their numbers of values.

    Two greedy orders are compared by what they would cost in full tables, and the cheaper one wins: the variable goes
    first whose table is smallest, or whose neighbours lack the smallest tables among themselves (Kjærulff,
    "Triangulation of graphs: algorithms giving small total state space", 1990).
    """
    links: Links = {}
    for scope in scopes:
        for variable in scope:
            links.setdefault(variable, set()).update(scope)
    for variable, others in links.items():
        others.discard(variable)
    bits = {v: math.log2(max(2, sizes[v])) for v in links}

    def table(links: Links, variable: int) -> float:
        return bits[variable] + sum(bits[o] for o in links[variable])

    def fill(links: Links, variable: int) -> float:
        others = sorted(links[variable])
        missing = 0.0
        for place, one in enumerate(others):
            missing += sum(bits[one] * bits[o] for o in others[place + 1 :] if o not in links[one])
        return missing

    tried = [_greedy(links, table, table), _greedy(links, fill, table)]
    return min(tried, key=lambda found: found[1])[0]


def _greedy(
    links: Links, score: Callable[[Links, int], float], table: Callable[[Links, int], float]
) -> tuple[list[int], float]:
    """A greedy order, and the sum of the tables' sizes that it makes."""
    links = {v: set(others) for v, others in links.items()}
    current = {v: score(links, v) for v in links}
    heap = [(s, v) for v, s in current.items()]
    heapq.heapify(heap)
    order: list[int] = []
    cost = 0.0
    while heap:
        found, variable = heapq.heappop(heap)
        if variable not in links or found != current[variable]:
            continue
        cost += 2.0 ** min(table(links, variable), 1000.0)
        order.append(variable)
        others = links.pop(variable)
        touched = set(others)
        for one in others:
            new = others - links[one] - {one}
            links[one] |= new
            links[one].discard(variable)
            if new and score is not table:
                touched |= links[one]
        for one in sorted(touched):
            now = score(links, one)
            if now != current[one]:
                current[one] = now
                heapq.heappush(heap, (now, one))
    return order, cost
