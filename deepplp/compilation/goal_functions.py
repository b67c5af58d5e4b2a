"""From the parts of a formula to the functions of its goals."""

from __future__ import annotations

from collections.abc import Sequence

from deepplp.compilation.diagram import Diagram
from deepplp.compilation.encoding import EncodedChoice
from deepplp.compilation.parts import Item, Part, Parts
from deepplp.compilation.residual import Formula2, combine
from deepplp.formula import Atom, Formula

__all__ = ["Functions"]

_CHUNK = 32  # literals of a node that are worked out in one pass, if they begin at different levels
_CHUNK_OF_TERMS = 256  # the same for a node that holds con- or disjunctions of its own


class Functions:
    """The functions of a formula's goals in a diagram; those of nodes of no further use are let go.

    ``part`` is the part in work: nodes of the formula. ``done`` counts the parts and goals that are finished.
    """

    def __init__(self, formula: Formula, parts: Parts, diagram: Diagram, encoded: Sequence[EncodedChoice]) -> None:
        self.part: tuple[int, ...] = ()
        self.done = 0
        self._formula = formula
        self._parts = parts
        self._diagram = diagram
        self._index_of = {e.choice: i for i, e in enumerate(encoded)}
        self._uses = list(parts.uses)
        self._known: dict[int, int] = {}

    def goals(self) -> tuple[list[int], int]:
        """The functions of the queries, each conjoined with the evidence, and that of the evidence."""
        for part in self._parts.parts:
            self.part = part.nodes
            if part.cyclic:
                self._least_fixpoint(part)
            else:
                self._acyclic(part)
            self._release(part)
            self._diagram.collect(self._known.values())
            self.done += 1
        formula = self._formula
        self.part = tuple(abs(g.literal) - 1 for g in formula.evidence)
        evidence = self._conjunction([self._of(g.literal) for g in formula.evidence])
        roots: list[int] = []
        for goal in formula.queries:
            self.part = (abs(goal.literal) - 1, *(abs(g.literal) - 1 for g in formula.evidence))
            roots.append(self._diagram.conjoin([self._of(goal.literal), evidence]))
            self._diagram.collect([*self._known.values(), evidence, *roots])
            self.done += 1
        return roots, evidence

    def _of(self, literal: int) -> int:
        index = abs(literal) - 1
        function = self._known.get(index)
        if function is None:
            node = self._formula.nodes[index]
            assert isinstance(node, Atom), "parts stand behind those that they read"
            function = self._known[index] = self._diagram.value(self._index_of[node.choice], node.value)
        return function if literal > 0 else self._diagram.negate(function)

    def _release(self, part: Part) -> None:
        for index in part.nodes:
            for literal in self._parts.literals(index):
                read = abs(literal) - 1
                self._uses[read] -= 1
                if self._uses[read] == 0:
                    self._known.pop(read, None)

    def _acyclic(self, part: Part) -> None:
        items = [self._parts.items(index) for index in part.nodes]
        if any(self._is_wide(index, own) for index, (_, own) in zip(part.nodes, items, strict=True)):
            for index, (disjunction, own) in zip(part.nodes, items, strict=True):
                self._known[index] = self._in_chunks(disjunction, own)
            return
        for index, function in zip(part.nodes, self._apply(items), strict=True):
            self._known[index] = function

    def _is_wide(self, index: int, items: list[Item]) -> bool:
        has_terms = any(kind is not None for kind, _ in items)
        return len(items) > (_CHUNK_OF_TERMS if has_terms else _CHUNK)

    def _apply(self, nodes: Sequence[tuple[bool, Sequence[Item]]], given: Sequence[int] = ()) -> list[int]:
        """Nodes by their kinds and items, worked out in one pass; each also takes the functions that are ``given``."""
        signals: dict[int, int] = {}
        first = [signals.setdefault(function, len(signals)) for function in given]
        formulas: list[Formula2] = []
        for disjunction, items in nodes:
            made: list[Formula2] = list(first)
            for kind, literals in items:
                inner = [signals.setdefault(self._of(x), len(signals)) for x in literals]
                made.append(inner[0] if kind is None else combine(kind, inner))
            formulas.append(combine(disjunction, made))
        return self._diagram.apply(list(signals), formulas)

    def _in_chunks(self, disjunction: bool, items: list[Item]) -> int:
        """A wide node, the items deepest in the order first: each chunk then only adds on top of those before it."""
        level = self._diagram.level
        ranked = [(min((level[self._of(x)] for x in item[1]), default=0), item) for item in items]
        ranked.sort(key=lambda pair: -pair[0])
        chunk: list[Item] = []
        result: list[int] = []
        for position, (rank, item) in enumerate(ranked):
            chunk.append(item)
            last = position == len(ranked) - 1
            if last or (len(chunk) >= _CHUNK and ranked[position + 1][0] != rank):
                result = self._apply([(disjunction, chunk)], result)
                chunk = []
        return result[0]

    def _conjunction(self, functions: list[int]) -> int:
        """A conjunction of many functions, the deepest first."""
        functions.sort(key=lambda f: -self._diagram.level[f])
        result = self._diagram.conjoin(functions[:_CHUNK])
        for start in range(_CHUNK, len(functions), _CHUNK):
            result = self._diagram.conjoin([result, *functions[start : start + _CHUNK]])
        return result

    def _least_fixpoint(self, part: Part) -> None:
        """Solve the equations of a cycle by eliminating one node after another, then putting in what is known.

        A cycle holds no negation, so each equation x = f(x, …) is monotone, and its least solution is x = f(false, …):
        over truth values, f(false) is false, or f(f(false)) = f(true) is true as well (Bekić's theorem does the rest).
        """
        number = {index: i for i, index in enumerate(part.nodes)}
        for index in part.nodes:
            self._known[index] = self._diagram.unknown(number[index])
        equations: dict[int, int] = {}
        reads: dict[int, set[int]] = {}
        for index in part.nodes:
            disjunction, items = self._parts.items(index)
            wide = self._is_wide(index, items)
            equations[index] = self._in_chunks(disjunction, items) if wide else self._apply([(disjunction, items)])[0]
            reads[index] = {abs(x) - 1 for x in self._parts.literals(index)} & number.keys()
        needed = {i for i in part.nodes if self._uses[i] > self._parts.own_uses(part, i)}
        order = self._eliminate(number, equations, reads, needed)
        wanted = set(needed)
        for index in order:
            if index in wanted:
                wanted |= reads[index]
        for index in reversed(order):
            if index in wanted:
                for below in sorted(reads[index], key=number.__getitem__):
                    equations[index] = self._put_in(equations[index], number[below], equations[below])
                self._known[index] = equations[index]

    def _eliminate(
        self, number: dict[int, int], equations: dict[int, int], reads: dict[int, set[int]], needed: set[int]
    ) -> list[int]:
        """Put each node's equation into those that read it, those first whose choices end first in the order.

        Then what remains to be read stands below all choices made so far, and a diagram's nodes at a level are what the
        nodes at that cut may be to each other. Nodes that are needed come last. What is left of ``reads`` are nodes
        that come later in the order that is returned.
        """
        readers = {i: {j for j in number if i in reads[j]} for i in number}
        deepest = {i: self._diagram.deepest(equations[i]) for i in number}
        order = sorted(number, key=lambda i: (i in needed, deepest[i], number[i]))
        for index in order:
            if index in reads[index]:
                equations[index], _ = self._diagram.without(equations[index], number[index])
                reads[index].discard(index)
                readers[index].discard(index)
            for below in reads[index]:
                readers[below].discard(index)
            for reader in sorted(readers[index]):
                equations[reader] = self._put_in(equations[reader], number[index], equations[index])
                reads[reader].discard(index)
                reads[reader] |= reads[index]
                for below in reads[index]:
                    readers[below].add(reader)
            self._diagram.collect([*self._known.values(), *equations.values()])
        return order

    def _put_in(self, function: int, number: int, value: int) -> int:
        """A function, monotone in an unknown, with a function in the unknown's place."""
        low, high = self._diagram.without(function, number)
        if low == high:
            return low
        return self._diagram.apply([low, high, value], [(True, frozenset([0, (False, frozenset([1, 2]))]))])[0]
