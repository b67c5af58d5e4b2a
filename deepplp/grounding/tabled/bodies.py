"""Clause bodies taken apart: what a con- or disjunction is made of, and which variables occur where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from deepplp.grounding.aggregates import written_signature
from deepplp.grounding.clause_base import (
    CallNode,
    ClauseBase,
    ClauseTerm,
    ConjunctionNode,
    DisjunctionNode,
    ExternNode,
    NegationNode,
    Node,
)
from deepplp.grounding.tabled.terms import OutsideFragment
from deepplp.program import Term

__all__ = ["Part", "choosing", "parts_of", "signature_of", "variables_below", "variables_in", "why_not"]

Part: TypeAlias = CallNode | NegationNode | ConjunctionNode | DisjunctionNode


def parts_of(
    base: ClauseBase, number: int, kind: type[ConjunctionNode] | type[DisjunctionNode]
) -> list[tuple[int, Part]]:
    """What a con- or disjunction is made of, in order, those of the same kind within it taken apart as well.

    A node of another kind is its own only part. Every part comes with its number.
    """
    found: list[tuple[int, Part]] = []
    stack = [number]
    while stack:
        current = stack.pop()
        node = part_at(base, current)
        if isinstance(node, (ConjunctionNode, DisjunctionNode)) and isinstance(node, kind):
            stack.extend(reversed(node.children))
        else:
            found.append((current, node))
    return found


def part_at(base: ClauseBase, number: int) -> Part:
    """The node of a body, or of a part of it."""
    node = base.node(number)
    if not isinstance(node, (CallNode, NegationNode, ConjunctionNode, DisjunctionNode)):
        raise OutsideFragment("a clause has a body that is no goal")
    return node


def variables_below(base: ClauseBase, number: int) -> Iterator[int]:
    """The variables of a part of a body."""
    stack = [number]
    while stack:
        node = part_at(base, stack.pop())
        if isinstance(node, CallNode):
            yield from variables_in(node.args)
        elif isinstance(node, NegationNode):
            stack.append(node.child)
        else:
            stack.extend(node.children)


def variables_in(terms: Iterable[ClauseTerm]) -> set[int]:
    """The variables of a clause's terms."""
    found: set[int] = set()
    stack = list(terms)
    while stack:
        term = stack.pop()
        if isinstance(term, int):
            found.add(term)
        elif isinstance(term, Term):
            stack.extend(term.args)
    return found


def choosing(arguments: tuple[ClauseTerm, ...], local: Collection[int]) -> tuple[ClauseTerm, ...]:
    """Of the arguments of an annotated disjunction's body, those that its choice depends on."""
    return tuple(a for i, a in enumerate(arguments[2:]) if i not in local)


def signature_of(call: CallNode) -> str:
    """The signature of what is called, such as ``"p/2"``."""
    return written_signature(call.functor, call.args)


def why_not(node: Node | None) -> str:
    """Why what a node defines cannot be called here: the rest of a sentence that begins with its signature."""
    if node is None:
        return "has no clauses"
    return "is decided by Python" if isinstance(node, ExternNode) else "is not spoken by the tabled engine"
