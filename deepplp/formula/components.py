"""What compilation needs to know of a formula before it starts: components, cycles, and the order of the choices."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from deepplp.errors import NegativeCycleError
from deepplp.formula.formula import And, Atom, Formula, Node

__all__ = [
    "Component",
    "components_of",
    "depth_first_order",
    "roots_of",
    "strongly_connected",
    "strongly_connected_components",
]

Vertex = TypeVar("Vertex", bound=Hashable)


def roots_of(formula: Formula) -> list[int]:
    """The indices of the nodes that queries and evidence stand for, without repetition."""
    return list(dict.fromkeys(abs(g.literal) - 1 for g in (*formula.queries, *formula.evidence)))


def _children(node: Node) -> tuple[int, ...]:
    return () if isinstance(node, Atom) else node.children


def depth_first_order(formula: Formula, *, deepest_first: bool = False) -> tuple[int, ...]:
    """The choices that the goals reach, in depth-first order of first use, shallow children first.

    Recursive programs mention what belongs together close together, so this order keeps the circuit of a chain linear
    in its length, where an unlucky order makes it exponential. A node's shallow children come before its deep ones: the
    choices of a recursion's step then stand above those of the steps below it, whether the recursive call is the first
    goal of the body or the last, and the compiler, which works from the bottom up, only ever adds on top.

    With ``deepest_first`` the deep children come before the shallow ones: what a choice depends on stands above it, as
    the parents of a Bayesian network's variable above the rows of its table.
    """
    height = _heights(formula)
    sign = -1 if deepest_first else 1
    order: dict[int, None] = {}
    seen: set[int] = set()
    stack = roots_of(formula)[::-1]
    while stack:
        index = stack.pop()
        if index in seen:
            continue
        seen.add(index)
        node = formula.nodes[index]
        if isinstance(node, Atom):
            order.setdefault(node.choice)
        else:
            children = sorted((abs(c) - 1 for c in node.children), key=lambda c: sign * height[c])
            stack.extend(reversed(children))
    return tuple(order)


def _heights(formula: Formula) -> dict[int, int]:
    """The longest way from each node down to an atom, a cycle counting as one step."""
    height: dict[int, int] = {}
    for component in strongly_connected_components(formula):
        members = set(component)
        below = [abs(c) - 1 for i in component for c in _children(formula.nodes[i])]
        top = 1 + max((height[c] for c in below if c not in members), default=-1)
        for index in component:
            height[index] = top
    return height


@dataclass(frozen=True, slots=True)
class Component:
    """Nodes that all use each other, or a single node; ``cyclic`` where they do, or it uses itself."""

    nodes: list[int]
    cyclic: bool


def components_of(formula: Formula) -> list[Component]:
    """The components of the nodes that the goals reach, each behind those that it uses.

    A cycle through a negation is a `NegativeCycleError`.
    """
    return [Component(c, _check_negative_cycles(formula, c)) for c in strongly_connected_components(formula)]


def strongly_connected_components(formula: Formula) -> Iterator[list[int]]:
    """The components of the nodes that the goals reach, each behind those that it uses."""
    nodes = formula.nodes
    return strongly_connected(roots_of(formula), lambda i: [abs(c) - 1 for c in _children(nodes[i])])


def strongly_connected(
    roots: Iterable[Vertex], successors: Callable[[Vertex], Iterable[Vertex]]
) -> Iterator[list[Vertex]]:
    """The strongly connected components of what the roots reach in a directed graph, each behind those that it reaches.

    A component is a list of vertices: several that all reach each other, or a single one, which may or may not be among
    its own successors. ``successors`` is called once for each vertex. The components and their vertices come in an
    order that depends on the order of the roots and the successors alone.

    >>> arcs = {1: [2], 2: [3, 1], 3: [4], 4: []}
    >>> list(strongly_connected([1], arcs.__getitem__))
    [[4], [3], [2, 1]]

    Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1972, with an explicit stack.
    """
    index_of: dict[Vertex, int] = {}
    low: dict[Vertex, int] = {}
    path: list[Vertex] = []
    on_path: set[Vertex] = set()
    work: list[tuple[Vertex, Iterator[Vertex]]] = []

    def enter(vertex: Vertex) -> None:
        index_of[vertex] = low[vertex] = len(index_of)
        path.append(vertex)
        on_path.add(vertex)
        work.append((vertex, iter(successors(vertex))))

    for root in roots:
        if root not in index_of:
            enter(root)
        while work:
            vertex, following = work[-1]
            for successor in following:
                if successor not in index_of:
                    enter(successor)
                    break
                if successor in on_path:
                    low[vertex] = min(low[vertex], index_of[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[vertex])
                if low[vertex] == index_of[vertex]:
                    component = [path.pop()]
                    while component[-1] != vertex:
                        component.append(path.pop())
                    on_path.difference_update(component)
                    yield component


def _check_negative_cycles(formula: Formula, component: list[int]) -> bool:
    """Whether a component is a cycle; a cycle through a negation is an error."""
    members = set(component)
    cyclic = False
    for index in component:
        for child in _children(formula.nodes[index]):
            if abs(child) - 1 in members:
                cyclic = True
                if child < 0:
                    kind = "conjunction" if isinstance(formula.nodes[index], And) else "disjunction"
                    raise NegativeCycleError(
                        f"the ground program holds a cycle of {len(component)} nodes through a negation (in a {kind}), "
                        "so it has no meaning that is two-valued and unique",
                        cycle=tuple(f"node {i}" for i in component),
                    )
    return cyclic
