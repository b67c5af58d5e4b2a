"""`Formula` → `Circuit` by PySDD: bottom up, and written independently of the compiler of `diagram`.

It is the faster one where a formula is small but looked at many times, as that of a recursion that joins all parts of a
chain. The two must agree on every formula and order, node by node: that is what the tests hold against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from threading import Event

import numpy as np

from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit
from deepplp.compilation.encoding import EncodedChoice, encode_choices
from deepplp.compilation.sentential_diagram import Sdd, SententialDiagram
from deepplp.compilation.stack import call_with_deep_stack
from deepplp.formula import And, Atom, Formula, Node, check_negative_cycles, strongly_connected_components

__all__ = ["compile_sentential"]


def compile_sentential(formula: Formula, order: Sequence[int], *, limit: int | None = None) -> Circuit:
    """Compile a ground program into a sentential decision diagram on a right-linear vtree, in a given order.

    Once more than ``limit`` nodes have been made in all, an `OutOfBudgetError` ends it: after the operation that made
    them, since libsdd knows no limit within one.
    """
    encoded = encode_choices(formula, order)
    levels = sum(len(e.variables) for e in encoded)
    return call_with_deep_stack(lambda stop: _compile(formula, encoded, limit, stop), levels)


def _compile(formula: Formula, encoded: list[EncodedChoice], limit: int | None, stop: Event) -> Circuit:
    diagram = SententialDiagram(encoded, limit, stop)
    functions = _Functions(formula, diagram, encoded)
    evidence = diagram.true
    for goal in formula.evidence:
        evidence = diagram.conjoin([functions.of(goal.literal), evidence])
    roots = [diagram.conjoin([functions.of(goal.literal), evidence]) for goal in formula.queries]
    return _Export(formula, diagram, encoded).circuit(roots, evidence)


class _Functions:
    """The SDD of every node that the goals reach; those of no further use are let go."""

    def __init__(self, formula: Formula, diagram: SententialDiagram, encoded: list[EncodedChoice]) -> None:
        self._formula = formula
        self._diagram = diagram
        self._index_of = {e.choice: i for i, e in enumerate(encoded)}
        self._rank = [len(encoded)] * len(formula.nodes)  # the first choice that a node depends on
        self._sdd: dict[int, Sdd] = {}
        self._uses = [0] * len(formula.nodes)
        components = list(strongly_connected_components(formula))
        for component in components:
            for index in component:
                node = formula.nodes[index]
                for child in () if isinstance(node, Atom) else node.children:
                    self._uses[abs(child) - 1] += 1
        for goal in (*formula.queries, *formula.evidence):
            self._uses[abs(goal.literal) - 1] += 1
        for component in components:
            if check_negative_cycles(formula, component):
                self._least_fixpoint(component)
            else:
                self._acyclic(component[0])

    def of(self, literal: int) -> Sdd:
        """The function of a literal."""
        function = self._sdd[abs(literal) - 1]
        return function if literal > 0 else self._diagram.negate(function)

    def _acyclic(self, index: int) -> None:
        node = self._formula.nodes[index]
        if isinstance(node, Atom):
            self._rank[index] = self._index_of[node.choice]
            self._sdd[index] = self._diagram.value(self._rank[index], node.value)
            return
        self._rank[index] = min((self._rank[abs(c) - 1] for c in node.children), default=self._rank[index])
        self._sdd[index] = self._apply(node)
        self._release(node)

    def _release(self, node: Node) -> None:
        for child in () if isinstance(node, Atom) else node.children:
            self._uses[abs(child) - 1] -= 1
            if self._uses[abs(child) - 1] == 0:
                del self._sdd[abs(child) - 1]

    def _apply(self, node: Node) -> Sdd:
        """Conjoin or disjoin a node's children, those deepest in the vtree first: each step then only adds on top."""
        assert not isinstance(node, Atom)
        children = sorted(node.children, key=lambda c: -self._rank[abs(c) - 1])
        if isinstance(node, And):
            return self._diagram.conjoin(self.of(c) for c in children)
        result = self._diagram.false
        for _, group in groupby(children, key=lambda c: self._rank[abs(c) - 1]):
            result = self._diagram.disjoin([result, self._diagram.disjoin([self.of(c) for c in group])])
        return result

    def _least_fixpoint(self, component: list[int]) -> None:
        """Start from false and apply the rules until nothing changes; SDDs are canonical, so equality is identity."""
        members = set(component)
        users: dict[int, list[int]] = {i: [] for i in component}
        rank = self._rank[component[0]]
        for index in component:
            node = self._formula.nodes[index]
            assert not isinstance(node, Atom)
            for child in node.children:
                if abs(child) - 1 in members:
                    users[abs(child) - 1].append(index)
                else:
                    rank = min(rank, self._rank[abs(child) - 1])
        for index in component:
            self._sdd[index] = self._diagram.false
            self._rank[index] = rank
        # Tarjan lists a component's deepest nodes first, so that a round carries news as far as it goes.
        waiting = dict.fromkeys(component)
        while waiting:
            changed: dict[int, None] = {}
            for index in component:
                if index not in waiting:
                    continue
                del waiting[index]
                function = self._apply(self._formula.nodes[index])
                if function.id != self._sdd[index].id:
                    self._sdd[index] = function
                    for user in users[index]:
                        changed[user] = None
                        waiting[user] = None
            waiting.update(changed)
            waiting = {i: None for i in component if i in waiting}
        for index in component:
            self._release(self._formula.nodes[index])


class _Export:
    """Write the SDDs of the roots as the flat arrays of a `Circuit`."""

    def __init__(self, formula: Formula, diagram: SententialDiagram, encoded: list[EncodedChoice]) -> None:
        self._diagram = diagram
        self._encoded = encoded
        sizes = [len(c.values) for c in formula.choices]
        self._column_offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        self._leaves: dict[tuple[int, frozenset[int]], int] = {}
        self._leaf_columns: list[list[int]] = []
        self._nodes: dict[int, int] = {}
        self._elements: list[list[tuple[int, int]]] = [[], []]

    def circuit(self, roots: list[Sdd], evidence: Sdd) -> Circuit:
        indices = [self._node(root) for root in [*roots, evidence]]
        flat = [e for elements in self._elements for e in elements]
        pairs = np.asarray(flat, dtype=np.int64).reshape(-1, 2)
        return Circuit(
            column_offsets=self._column_offsets,
            order=np.asarray([e.choice for e in self._encoded], dtype=np.int64),
            leaf_offsets=_offsets(self._leaf_columns),
            leaf_columns=np.asarray([c for columns in self._leaf_columns for c in columns], dtype=np.int64),
            node_offsets=_offsets(self._elements),
            primes=np.ascontiguousarray(pairs[:, 0]),
            subs=np.ascontiguousarray(pairs[:, 1]),
            roots=np.asarray(indices[:-1], dtype=np.int64),
            evidence=indices[-1],
        )

    def _node(self, root: Sdd) -> int:
        """The index of a function's node; nodes are numbered behind those that they use."""
        stack = [root]
        while stack:
            function = stack[-1]
            if self._known(function) is not None:
                stack.pop()
                continue
            leaf = self._diagram.classes(function)
            if leaf is not None:
                self._add(function, [(self._leaf(*leaf), TRUE_NODE)])
                stack.pop()
                continue
            elements = [(p, s) for p, s in function.elements() if not s.is_false()]
            missing = [s for _, s in elements if self._known(s) is None]
            if missing:
                stack.extend(missing)
                continue
            pairs = []
            for prime, sub in elements:
                classes = self._diagram.classes(prime)
                assert classes is not None, "a prime lies in one choice's subtree"
                pairs.append((self._leaf(*classes), self._index(sub)))
            self._add(function, pairs)
            stack.pop()
        return self._index(root)

    def _known(self, function: Sdd) -> int | None:
        if function.is_true():
            return TRUE_NODE
        if function.is_false():
            return FALSE_NODE
        return self._nodes.get(function.id)

    def _index(self, function: Sdd) -> int:
        index = self._known(function)
        assert index is not None
        return index

    def _add(self, function: Sdd, pairs: list[tuple[int, int]]) -> None:
        self._nodes[function.id] = len(self._elements)
        self._elements.append(sorted(pairs))

    def _leaf(self, index: int, classes: frozenset[int]) -> int:
        key = (index, classes)
        if key not in self._leaves:
            choice = self._encoded[index]
            offset = int(self._column_offsets[choice.choice])
            self._leaves[key] = len(self._leaf_columns)
            self._leaf_columns.append([offset + v for j in sorted(classes) for v in choice.classes[j]])
        return self._leaves[key]


def _offsets(rows: Sequence[Sequence[object]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.concatenate([[0], np.cumsum([len(r) for r in rows], dtype=np.int64)]).astype(np.int64)
