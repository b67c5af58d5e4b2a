"""From the parts of a formula to the functions of its goals, whichever diagram holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic

from deepplp.compilation.algebra import Algebra, Function
from deepplp.compilation.encoding import EncodedChoice
from deepplp.compilation.fixpoints import Cycle
from deepplp.compilation.parts import Item, Part, Parts
from deepplp.compilation.residual import TwoLevel, combine
from deepplp.formula import Atom, Formula

__all__ = ["GoalFunctions"]

_CHUNK = 32  # literals of a node that are worked out in one pass, if they begin at different levels
_CHUNK_OF_TERMS = 256  # the same for a node that holds con- or disjunctions of its own


class GoalFunctions(Generic[Function]):
    """The functions of a formula's goals in a diagram; those of nodes of no further use are let go.

    ``solve`` finds the least solution of a cycle's equations. ``part`` is the part in work: nodes of the formula.
    ``done`` counts the parts and goals that are finished.
    """

    def __init__(
        self,
        formula: Formula,
        parts: Parts,
        encoded: Sequence[EncodedChoice],
        diagram: Algebra[Function],
        solve: Callable[[Cycle[Function]], None],
    ) -> None:
        self.part: tuple[int, ...] = ()
        self.done = 0
        self._formula = formula
        self._parts = parts
        self._diagram = diagram
        self._solve = solve
        self._index_of = {e.choice: i for i, e in enumerate(encoded)}
        self._uses = list(parts.uses)
        self._known: dict[int, Function] = {}

    def goals(self) -> tuple[list[Function], Function]:
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
        roots: list[Function] = []
        for goal in formula.queries:
            self.part = (abs(goal.literal) - 1, *(abs(g.literal) - 1 for g in formula.evidence))
            roots.append(self._diagram.conjoin([self._of(goal.literal), evidence]))
            self._diagram.collect([*self._known.values(), evidence, *roots])
            self.done += 1
        return roots, evidence

    def _of(self, literal: int) -> Function:
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
        if any(_is_wide(own) for _, own in items):
            for index in part.nodes:
                self._known[index] = self._node(index)
            return
        for index, function in zip(part.nodes, self._apply(items), strict=True):
            self._known[index] = function

    def _least_fixpoint(self, part: Part) -> None:
        nodes = set(part.nodes)
        reads = {i: {abs(x) - 1 for x in self._parts.literals(i)} & nodes for i in part.nodes}
        needed = {i for i in part.nodes if self._uses[i] > self._parts.own_uses(part, i)}
        self._solve(Cycle(part.nodes, reads, needed, self._known, self._node))

    def _node(self, index: int) -> Function:
        """A node by its items, in one pass or in several."""
        disjunction, items = self._parts.items(index)
        return self._in_chunks(disjunction, items) if _is_wide(items) else self._apply([(disjunction, items)])[0]

    def _apply(self, nodes: Sequence[tuple[bool, Sequence[Item]]], given: Sequence[Function] = ()) -> list[Function]:
        """Nodes by their kinds and items, worked out in one pass; each also takes the functions that are ``given``."""
        signals: dict[Function, int] = {}
        first = [signals.setdefault(function, len(signals)) for function in given]
        formulas: list[TwoLevel] = []
        for disjunction, items in nodes:
            made: list[TwoLevel] = list(first)
            for kind, literals in items:
                inner = [signals.setdefault(self._of(x), len(signals)) for x in literals]
                made.append(inner[0] if kind is None else combine(kind, inner))
            formulas.append(combine(disjunction, made))
        return self._diagram.apply(list(signals), formulas)

    def _in_chunks(self, disjunction: bool, items: Sequence[Item]) -> Function:
        """A wide node, the items deepest in the order first: each chunk then only adds on top of those before it."""
        top = self._diagram.top
        ranked = [(min((top(self._of(x)) for x in item[1]), default=0), item) for item in items]
        ranked.sort(key=lambda pair: -pair[0])
        chunk: list[Item] = []
        result: list[Function] = []
        for position, (rank, item) in enumerate(ranked):
            chunk.append(item)
            last = position == len(ranked) - 1
            if last or (len(chunk) >= _CHUNK and ranked[position + 1][0] != rank):
                result = self._apply([(disjunction, chunk)], result)
                chunk = []
        return result[0]

    def _conjunction(self, functions: list[Function]) -> Function:
        """A conjunction of many functions, the deepest first."""
        functions.sort(key=lambda f: -self._diagram.top(f))
        result = self._diagram.conjoin(functions[:_CHUNK])
        for start in range(_CHUNK, len(functions), _CHUNK):
            result = self._diagram.conjoin([result, *functions[start : start + _CHUNK]])
        return result


def _is_wide(items: Sequence[Item]) -> bool:
    """Whether a node is worked out in several passes."""
    has_terms = any(kind is not None for kind, _ in items)
    return len(items) > (_CHUNK_OF_TERMS if has_terms else _CHUNK)
