"""Components of graphs and formulas."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from deepplp.formula import And, Atom, Formula, Goal, Node, Or, roots_of, strongly_connected
from deepplp.formula import strongly_connected_components as components_of
from tests.formulas import uniform
from tests.strategies import formulas

ARCS = st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4), max_size=10)


def reachable(arcs: dict[int, list[int]], start: int) -> set[int]:
    """What a vertex reaches, itself included."""
    found = {start}
    while True:
        more = {t for s in found for t in arcs.get(s, ())} - found
        if not more:
            return found
        found |= more


@given(ARCS, st.lists(st.integers(0, 9), max_size=3))
def test_components_are_what_reaches_each_other(arcs: dict[int, list[int]], roots: list[int]) -> None:
    """Two reached vertices share a component if each reaches the other, and components follow those they reach."""
    asked: list[int] = []

    def successors(vertex: int) -> list[int]:
        asked.append(vertex)
        return arcs.get(vertex, [])

    components = list(strongly_connected(roots, successors))
    listed = list(itertools.chain.from_iterable(components))
    assert sorted(listed) == sorted(set().union(*(reachable(arcs, r) for r in roots)) if roots else [])
    assert sorted(asked) == sorted(listed), "each vertex is looked at once"
    place = {v: i for i, component in enumerate(components) for v in component}
    for a, b in itertools.product(listed, repeat=2):
        there, back = b in reachable(arcs, a), a in reachable(arcs, b)
        assert (place[a] == place[b]) == (there and back)
        if there and not back:
            assert place[b] < place[a]


def test_a_long_chain_overflows_no_stack() -> None:
    """A hundred thousand vertices in a row, closed to a ring or not, need no recursion."""
    n = 100_000
    assert sum(1 for _ in strongly_connected([0], lambda v: [v + 1] if v < n else [])) == n + 1
    (ring,) = strongly_connected(["0"], lambda v: [str((int(v) + 1) % n)])
    assert len(ring) == n


@given(formulas())
def test_components_of_a_formula(formula: Formula) -> None:
    """A formula's components are those of its nodes' children, and cover what the goals reach."""
    arcs = {
        i: [] if isinstance(node, Atom) else [abs(c) - 1 for c in node.children] for i, node in enumerate(formula.nodes)
    }
    reached = set().union(*(reachable(arcs, r) for r in roots_of(formula)))
    components = list(components_of(formula))
    assert sorted(itertools.chain.from_iterable(components)) == sorted(reached)
    seen: set[int] = set()
    for component in components:
        members = set(component)
        assert all(members <= reachable(arcs, i) for i in component)
        seen |= members
        assert all(set(arcs[i]) <= seen for i in component), "children stand before those that use them"


def test_what_no_goal_reaches_has_no_component() -> None:
    """Nodes beside the goals are left out."""
    nodes: tuple[Node, ...] = (And(()), Atom(0, 0), Or((4,)), And((3,)))
    assert list(components_of(Formula((uniform(2),), nodes, (Goal("q", 2),)))) == [[1]]
