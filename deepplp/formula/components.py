"""What compilation needs to know of a formula before it starts: components, cycles, and the order of the choices."""

from __future__ import annotations

from collections.abc import Iterator

from deepplp.errors import NegativeCycleError
from deepplp.formula.formula import And, Atom, Formula, Node

__all__ = ["check_negative_cycles", "depth_first_order", "roots_of", "strongly_connected_components"]


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


def strongly_connected_components(formula: Formula) -> Iterator[list[int]]:
    """The components of the nodes that the goals reach, each behind those that it uses.

    Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1972, with an explicit stack.
    """
    index_of: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    path: list[int] = []
    for root in roots_of(formula):
        if root in index_of:
            continue
        work: list[tuple[int, Iterator[int]]] = []
        _enter(root, formula, index_of, low, path, on_stack, work)
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in index_of:
                    _enter(successor, formula, index_of, low, path, on_stack, work)
                    break
                if successor in on_stack:
                    low[node] = min(low[node], index_of[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index_of[node]:
                    component = []
                    while True:
                        member = path.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    yield component


def _enter(
    node: int,
    formula: Formula,
    index_of: dict[int, int],
    low: dict[int, int],
    path: list[int],
    on_stack: set[int],
    work: list[tuple[int, Iterator[int]]],
) -> None:
    index_of[node] = low[node] = len(index_of)
    path.append(node)
    on_stack.add(node)
    work.append((node, iter([abs(c) - 1 for c in _children(formula.nodes[node])])))


def check_negative_cycles(formula: Formula, component: list[int]) -> bool:
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
