"""In which order the variables are eliminated: greedily, the one that costs least next."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

from deepplp.compilation.compile_budget import Meter

__all__ = ["elimination_order"]

_TRIES = 8  # with ties broken in other ways
_EFFORT = 20_000  # of variables and links in all tries together

_STEP = 4  # steps, as products of relations count them, for one variable that is looked at

Links = dict[int, set[int]]


def elimination_order(
    scopes: Iterable[Sequence[int]], sizes: Mapping[int, int], meter: Meter
) -> tuple[list[int], float]:
    """All variables of some scopes in the order in which they go, and how many entries full tables would have.

    ``sizes`` are the variables' numbers of values.

    Greedy orders are compared by what they would cost in full tables, and the cheapest one wins: the variable goes
    first whose table is smallest, or whose neighbours lack the fewest links among themselves (Kjærulff, "Triangulation
    of graphs: algorithms giving small total state space", 1990), the latter several times with ties broken at random,
    the same way each time. All are the same in every process. ``meter`` counts the pairs of neighbours looked at.
    """
    links: Links = {}
    for scope in scopes:
        for variable in scope:
            links.setdefault(variable, set()).update(scope)
    for variable, others in links.items():
        others.discard(variable)
    bits = {v: math.log2(max(2, sizes[v])) for v in links}

    def table(links: Links, variable: int) -> float:
        return bits[variable] + sum(sorted(bits[o] for o in links[variable]))

    tried = [_greedy(links, table, table, None, meter), _greedy(links, _fill, table, None, meter)]
    effort = sum(map(len, links.values())) + 1
    tried += [_greedy(links, _fill, table, Random(seed), meter) for seed in range(min(_TRIES, _EFFORT // effort))]
    return min(tried, key=lambda found: found[1])


def _fill(links: Links, variable: int) -> float:
    """How many links the neighbours of a variable lack."""
    others = links[variable]
    return sum(len(others) - 1 - len(others & links[one]) for one in others) / 2


def _greedy(
    links: Links,
    score: Callable[[Links, int], float],
    table: Callable[[Links, int], float],
    ties: Random | None,
    meter: Meter,
) -> tuple[list[int], float]:
    """A greedy order, and the sum of the tables' sizes that it makes."""
    links = {v: set(others) for v, others in links.items()}
    current = {}
    for variable, others in links.items():
        meter.spend(_STEP + (len(others) if score is table else len(others) ** 2 // 8), 0)
        current[variable] = score(links, variable)

    def entry(variable: int) -> tuple[float, float, int]:
        return current[variable], 0.0 if ties is None else ties.random(), variable

    heap = list(map(entry, links))
    heapq.heapify(heap)
    order: list[int] = []
    cost = 0.0
    while heap:
        found, _, variable = heapq.heappop(heap)
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
            count = len(links[one])
            meter.spend(_STEP + (count if score is table else count * count // 8), 0)
            now = score(links, one)
            if now != current[one]:
                current[one] = now
                heapq.heappush(heap, entry(one))
    return order, cost
