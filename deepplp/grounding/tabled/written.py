"""Clauses as the program writes them: their places, the names of their variables, their goals as terms."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence

from deepplp.formula import ClauseSource
from deepplp.grounding.clause_base import (
    CallNode,
    ClauseBase,
    ClauseNode,
    ClauseTerm,
    ConjunctionNode,
    DefinitionNode,
    FactNode,
    NegationNode,
)
from deepplp.grounding.tabled.bodies import Part, part_at, parts_of
from deepplp.grounding.tabled.relations import Predicate
from deepplp.grounding.tabled.terms import Environment, Pattern, Terms
from deepplp.program import Conjunction, Disjunction, Not, Program, Term, Var

__all__ = ["ANONYMOUS", "Written"]

ANONYMOUS = "_"
"""The name of a variable that stands once, or has no name."""


class Written:
    """What the clauses of a program look like in its text.

    ``groups`` are those of the annotated disjunctions whose bodies clauses are, by the clauses' numbers.
    """

    def __init__(self, base: ClauseBase, program: Program, terms: Terms, groups: Mapping[int, int]) -> None:
        self._base = base
        self._groups = groups
        self._statements = program.statements
        self._files = {text.name for text in program.texts}
        self._terms = terms
        self._sources: dict[int, ClauseSource] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        self._functors: dict[int, str] = {}

    def source(self, clause: int) -> ClauseSource:
        """Where a clause comes from."""
        if clause not in self._sources:
            self._sources[clause] = self._source(clause)
        return self._sources[clause]

    def _source(self, clause: int) -> ClauseSource:
        number = self._base.statement_of(clause)
        if number is not None:
            return ClauseSource(number, self._statements[number].position)
        node = self._base.node(clause)
        library = self._base.library_of(clause)
        position = self._base.locate(node.location) if isinstance(node, (ClauseNode, FactNode)) else None
        if library is not None and position is not None and position.file in self._files:
            position = None  # what ProbLog loads before the program is in no file of its own
        return ClauseSource(None, position, library)

    def atom(self, predicate: Predicate, arguments: Sequence[Pattern]) -> Term:
        """An atom of a predicate that has a name; variables that nothing binds are A, B and so on."""
        return Term(self._functor(predicate), *(self._terms.open_term(a, string.ascii_uppercase) for a in arguments))

    def _functor(self, predicate: Predicate) -> str:
        if predicate.number not in self._functors:
            assert predicate.definition is not None
            library = self._base.library_of(predicate.definition)
            self._functors[predicate.number] = _unscoped(predicate.functor, library)
        return self._functors[predicate.number]

    def goal(self, number: int, environment: Environment, clause: int) -> Term:
        """A part of a clause's body, its variables replaced by what they are bound to."""
        names, library = self.names(clause), self._base.library_of(clause)
        return self._goal(part_at(self._base, number), number, environment, names, library)

    def _goal(
        self, part: Part, number: int, environment: Environment, names: Sequence[str], library: str | None
    ) -> Term:
        if isinstance(part, NegationNode):
            inner = part_at(self._base, part.child)
            return Not("\\+", self._goal(inner, part.child, environment, names, library))
        if isinstance(part, CallNode):
            resolve, shown, pattern = self._terms.resolve, self._terms.open_term, self._terms.pattern
            arguments = [shown(resolve(pattern(a), environment), names) for a in part.args]
            functor = _unscoped(str(part.functor), library)
            return Term(functor, *arguments, priority=part.op_priority, opspec=part.op_spec)
        parts = parts_of(self._base, number, type(part))
        goals = [self._goal(p, n, environment, names, library) for n, p in parts]
        joined = Conjunction if isinstance(part, ConjunctionNode) else Disjunction
        found = goals.pop()
        while goals:
            found = joined(goals.pop(), found)
        return found

    def names(self, clause: int) -> tuple[str, ...]:
        """The names of a clause's variables, by their numbers; those of libraries are A, B and so on."""
        if clause not in self._names:
            node = self._base.node(clause)
            number = self._base.statement_of(clause)
            if not isinstance(node, ClauseNode):
                self._names[clause] = ()
            elif number is None:
                self._names[clause] = tuple(_letters(node.varcount))
            else:
                self._names[clause] = tuple(self._given_names(clause, node, number))
        return self._names[clause]

    def _given_names(self, clause: int, node: ClauseNode, statement: int) -> list[str]:
        """The names that a statement gives, found where a variable of a clause stands in the place of one of its."""
        names = [ANONYMOUS] * node.varcount
        heads, body = self._statements[statement].heads_and_body()
        group = node.group if node.group is not None else self._groups.get(clause)
        if group is None:
            _name(node.args, heads[0].args, names)
        else:
            for choice in self._base.choices(group):  # all heads and the body number their variables alike
                _name(choice.head.args, heads[choice.choice].args, names)
        for call, goal in zip(self._calls(self._body_of(node)), _goals(body), strict=False):
            if call.functor == goal.functor:
                _name(call.args, goal.args, names)
        return names

    def _body_of(self, node: ClauseNode) -> int:
        """The body as it is written; that of an annotated disjunction is a predicate's, which its heads call."""
        if node.group is None:
            return node.child
        call = parts_of(self._base, node.child, ConjunctionNode)[0][1]
        definition = self._base.node(call.defnode) if isinstance(call, CallNode) else None
        inner = self._base.node(definition.clauses[0]) if isinstance(definition, DefinitionNode) else None
        assert isinstance(inner, ClauseNode)
        return inner.child

    def _calls(self, number: int) -> Iterator[CallNode]:
        """All calls of a body, from left to right."""
        stack = [number]
        while stack:
            part = part_at(self._base, stack.pop())
            if isinstance(part, CallNode):
                yield part
            else:
                stack.extend([part.child] if isinstance(part, NegationNode) else reversed(part.children))


def _goals(body: Term | None) -> Iterator[Term]:
    """All calls of a body as it is written, from left to right."""
    stack = [] if body is None else [body]
    while stack:
        goal = stack.pop()
        if isinstance(goal, (Conjunction, Disjunction, Not)) or (goal.functor == "not" and goal.arity == 1):
            stack.extend(reversed(goal.args))
        else:
            yield goal


def _name(found: Sequence[ClauseTerm], written: Sequence[Term], names: list[str]) -> None:
    """Name the variables of terms that stand where terms with names stand."""
    stack = list(zip(found, written, strict=True))
    while stack:
        term, named = stack.pop()
        if not isinstance(term, int):
            stack.extend(zip(term.args, named.args, strict=True))
        elif isinstance(named, Var):
            names[term] = str(named.name)


def _letters(count: int) -> Iterator[str]:
    """A, B, …, Z, A1, B1, …"""
    for i in range(count):
        yield string.ascii_uppercase[i % 26] + (str(i // 26) if i >= 26 else "")


def _unscoped(functor: str, library: str | None) -> str:
    """A functor without the name of the library that keeps it to itself."""
    return functor if library is None else functor.removeprefix(f"_{library}_")
