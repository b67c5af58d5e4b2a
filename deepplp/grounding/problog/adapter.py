"""ProbLog's data base as the clauses that the tabled engine and extraction read."""

from __future__ import annotations

from deepplp.errors import Position
from deepplp.grounding.clause_base import (
    Builtin,
    CallNode,
    ChoiceNode,
    ClauseNode,
    ConjunctionNode,
    DefinitionNode,
    DisjunctionNode,
    ExternNode,
    FactNode,
    Location,
    NegationNode,
    Node,
)
from deepplp.grounding.problog.database import Database
from deepplp.grounding.problog.engine import Setting
from deepplp.grounding.problog.ordering import Ordering
from deepplp.grounding.problog.solvers import Probabilistic
from deepplp.program import Term

__all__ = ["DatabaseClauses"]

_SPOKEN = frozenset(
    {
        "problog.engine_builtin",
        "deepplp.grounding.problog.arithmetic",
        "deepplp.grounding.problog.construction",
        "deepplp.grounding.problog.sized",
    }
)


class DatabaseClauses:
    """The clauses of a data base: see `deepplp.grounding.clause_base.ClauseBase`."""

    def __init__(self, database: Database, setting: Setting) -> None:
        self._database = database
        self._setting = setting

    @property
    def obstacle(self) -> str | None:
        """Why tabled evaluation must not serve this program at all, None where it may."""
        if self._database.dont_cache:
            name, arity = min(self._database.dont_cache)
            return f"the program says that {name}/{arity} must not be tabled"
        return "a Python file has registered arithmetic functions" if self._setting.functions else None

    def find(self, goal: Term) -> int | None:
        """The number of the definition of a goal's predicate, or of its built-in; None where nothing names it."""
        found: int | None = self._database.find(goal)
        return self._setting.builtins.numbers.get(goal.signature) if found is None else found

    def node(self, number: int) -> Node | None:
        """The node of a number from 0 on; None where a predicate is called but has no definition."""
        node = self._database.get_node(number)
        match type(node).__name__:
            case "define":
                return DefinitionNode(node.functor, node.arity, tuple(node.children), node.location)
            case "fact":
                return FactNode(node.functor, node.args, node.probability, node.location)
            case "clause":
                variables = frozenset(node.locvars)
                return ClauseNode(
                    node.functor, node.args, node.child, node.varcount, variables, node.group, node.location
                )
            case "call":
                return CallNode(node.functor, node.args, node.defnode, node.location, node.op_priority, node.op_spec)
            case "conj":
                return ConjunctionNode(node.children, node.location)
            case "disj":
                return DisjunctionNode(node.children, node.location)
            case "neg":
                return NegationNode(node.child, node.location)
            case "choice":
                return self._choice(number)
            case "extern":
                return ExternNode(node.functor, node.arity, isinstance(node.function, Probabilistic))
        return None

    def _choice(self, number: int) -> ChoiceNode:
        node = self._database.get_node(number)
        variables = frozenset(node.locvars)
        head = node.functor.args[2]
        return ChoiceNode(head, node.args, node.probability, variables, node.group, node.choice, node.location)

    def builtin(self, number: int) -> Builtin | None:
        """The built-in of a negative number; its function is ProbLog's own, if it still is that, or an ordering."""
        signature = self._setting.builtins.signature(number)
        if signature is None:
            return None
        function = getattr(self._setting.builtins.function(number), "base_function", None)
        if isinstance(function, Ordering):
            return Builtin(signature, function.function)
        return Builtin(signature, function if getattr(function, "__module__", None) in _SPOKEN else None)

    def choices(self, group: int) -> list[ChoiceNode]:
        """All heads of an annotated disjunction, in their order."""
        return [self._choice(number) for number in self._database.choices(group)]

    def locate(self, location: Location) -> Position | None:
        """Where a place is in a file."""
        return self._setting.places.position(location, self._database)

    def statement_of(self, number: int) -> int | None:
        """Which of ``Program.statements`` a fact's or clause's node was made of; None if of none of them."""
        return self._database.span_of(number).statement

    def library_of(self, number: int) -> str | None:
        """The name of the library that a fact, clause or definition comes from; None for the program's own."""
        node = self._database.get_node(number)
        if type(node).__name__ == "define" and node.children:
            number = node.children[0]
        return self._database.span_of(number).library
