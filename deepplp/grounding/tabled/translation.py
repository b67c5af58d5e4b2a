"""ProbLog's clause data base as predicates for tabled evaluation, as far as it is within the fragment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from problog.logic import Term

from deepplp.grounding.problog.clauses import NEURAL
from deepplp.grounding.tabled.arithmetic import COMPARISONS, expression
from deepplp.grounding.tabled.relations import Predicate, Rule
from deepplp.grounding.tabled.steps import (
    Absent,
    Assignment,
    Builtin,
    Call,
    Choose,
    Comparison,
    Fact,
    Goal,
    Negation,
    Neural,
    Same,
    Unification,
)
from deepplp.grounding.tabled.terms import OutsideFragment, Terms

__all__ = ["Translation"]

_FUNCTIONS = frozenset(
    {
        "between/3", "succ/2", "plus/3", "length/2", "sort/2", "=../2", "compare/3", "atom_number/2",
        "@</2", "@>/2", "@=</2", "@>=/2", "var/1", "nonvar/1", "atom/1", "atomic/1", "compound/1", "float/1",
        "integer/1", "number/1", "simple/1", "callable/1", "ground/1", "is_list/1",
    }
)  # fmt: skip
_EQUALITIES: Mapping[str, type[Unification] | type[Same]] = MappingProxyType(
    {"=/2": Unification, "\\=/2": Unification, "==/2": Same, "\\==/2": Same}
)
_PROBLOG = "problog.engine_builtin"


class Translation:
    """The predicates of a data base, translated when they are first asked for, with all that they call.

    A predicate is outside of the fragment if a goal of its clauses is, or a predicate that they call.
    """

    def __init__(self, database: Any, engine: Any) -> None:
        self.terms = Terms()
        self._database = database
        self._engine = engine
        self._predicates: dict[tuple[str, int], Predicate] = {}
        self._bodies: dict[tuple[str, int], bool] = {}  # whether a predicate is the body of a probabilistic clause
        self._outside: set[int] = set()
        self._waiting: list[tuple[Any, Predicate]] = []
        self._count = 0
        self._signatures = {number: signature for signature, number in engine.get_builtins().items()}

    def call(self, goal: Term) -> tuple[Predicate, tuple[Any, ...], int]:
        """The predicate of a goal, its arguments and the number of its variables."""
        predicate = self._predicate(goal)
        variables = _Numbered()
        return predicate, tuple(self._patterns(goal.apply(variables).args)), len(variables.numbers)

    def _predicate(self, goal: Term) -> Predicate:
        number = self._database.find(goal)
        if number is None or number in self._outside or self._database.dont_cache or self._engine.functions:
            raise OutsideFragment
        known = set(self._predicates)
        try:
            found = self._of(number, body=False)
            while self._waiting:
                self._define(*self._waiting.pop())
        except (OutsideFragment, RecursionError):
            self._outside.add(number)
            self._waiting.clear()
            self._predicates = {n: p for n, p in self._predicates.items() if n in known}
            raise OutsideFragment from None
        return found

    def _new(self, functor: str, location: Any) -> Predicate:
        self._count += 1
        return Predicate(self.terms, self._count, functor, location)

    def _of(self, number: int, body: bool) -> Predicate:
        """The predicate of a node of the data base, whose rules may come later."""
        node = self._database.get_node(number)
        if type(node).__name__ != "define":
            raise OutsideFragment
        key = node.functor, node.arity
        if self._bodies.setdefault(key, body) != body:
            raise OutsideFragment
        found = self._predicates.get(key)
        if found is None:
            found = self._predicates[key] = self._new(str(node.functor), node.location)
            self._waiting.append((node, found))
        return found

    def _define(self, node: Any, predicate: Predicate) -> None:
        is_body = self._bodies[node.functor, node.arity]
        rules = []
        goals: Sequence[Goal]
        for child in list(node.children.find([None] * node.arity)):
            clause = self._database.get_node(child)
            if type(clause).__name__ == "fact":
                goals = () if clause.probability is None else (Fact(child, clause),)
                rules.append(Rule(self.terms, self._patterns(clause.args), goals, 0, True))
            elif type(clause).__name__ == "clause":
                head = _choosing(clause.args, clause.locvars) if is_body else clause.args
                goals = self._conjunction(clause.child, _variables(clause.args))
                rules.append(Rule(self.terms, self._patterns(head), goals, clause.varcount, False))
            else:
                raise OutsideFragment
        if is_body and len(rules) != 1:
            raise OutsideFragment
        predicate.define(rules)

    def _patterns(self, terms: Any) -> list[Any]:
        return [self.terms.pattern(t) for t in terms]

    def _conjunction(self, number: int, outside: set[int]) -> list[Goal]:
        """The goals of a body. ``outside`` are variables that occur elsewhere in the clause."""
        parts = self._parts(number, "conj")
        variables = None
        goals: list[Goal] = []
        for i, part in enumerate(parts):
            choice = self._choice(parts[i + 1]) if i + 1 < len(parts) else None
            if choice is not None:
                node = self._database.get_node(part)
                arguments = self._patterns(_choosing(node.args, choice.locvars))
                goals.append(Call(self.terms, self._of(node.defnode, body=True), arguments, node.location))
                continue
            if type(self._database.get_node(part)).__name__ == "call":
                goals += self._call(self._database.get_node(part))
                continue
            variables = variables or [set(self._variables(p)) for p in parts]
            others = outside.union(*(v for j, v in enumerate(variables) if j != i))
            goals += self._goal(part, others)
        return goals

    def _choice(self, number: int) -> Any:
        """The choice that a node calls, if it does: the goal before is then the body of the probabilistic clause."""
        node = self._database.get_node(number)
        called = self._database.get_node(node.defnode) if type(node).__name__ == "call" and node.defnode >= 0 else None
        return called if type(called).__name__ == "choice" else None

    def _goal(self, number: int, outside: set[int]) -> list[Goal]:
        node = self._database.get_node(number)
        kind = type(node).__name__
        if kind == "call":
            return self._call(node)
        if kind == "neg":
            inner = self._database.get_node(node.child)
            if type(inner).__name__ == "conj":
                return [Negation(self._auxiliary([node.child], outside))]
            goals = self._goal(node.child, outside)
            return [Negation(goals[0])] if goals else [self._auxiliary([], set())]
        if kind == "disj":
            return [self._auxiliary(self._parts(number, "disj"), outside)]
        raise OutsideFragment

    def _parts(self, number: int, kind: str) -> list[int]:
        """What a con- or disjunction is made of, in order, those of the same kind within it taken apart as well."""
        found: list[int] = []
        stack = [number]
        while stack:
            current = stack.pop()
            node = self._database.get_node(current)
            if type(node).__name__ == kind:
                stack.extend(reversed(node.children))
            else:
                found.append(current)
        return found

    def _auxiliary(self, branches: list[int], outside: set[int]) -> Goal:
        """A call of a predicate of its own: of the variables that its clauses share with the clause around them."""
        variables = [set(self._variables(b)) for b in branches]
        shared = sorted(set().union(*variables) & outside)
        predicate = self._new("", None)
        head = [~v for v in shared]
        size = 1 + max((v for found in variables for v in found), default=-1)
        rules = [Rule(self.terms, head, self._conjunction(b, set(shared)), size, False) for b in branches]
        predicate.define(rules)
        return Call(self.terms, predicate, head, None)

    def _call(self, node: Any) -> list[Goal]:
        if node.defnode < 0:
            return self._builtin(node)
        defined = self._database.get_node(node.defnode)
        if not defined:
            return [Absent()]
        if type(defined).__name__ == "choice":
            return [Choose(self.terms, node.defnode, defined)]
        if type(defined).__name__ != "define" or str(node.functor).startswith("_nocache_"):
            raise OutsideFragment
        return [Call(self.terms, self._of(node.defnode, body=False), self._patterns(node.args), node.location)]

    def _builtin(self, node: Any) -> list[Goal]:
        signature = self._signatures.get(node.defnode)
        function = getattr(self._engine.get_builtin(node.defnode), "base_function", None)
        if signature == f"{NEURAL}/5":
            self._count += 1
            return [Neural(self.terms, self._engine, self._count, self._patterns(node.args))]
        if signature is None or getattr(function, "__module__", None) != _PROBLOG:
            raise OutsideFragment
        name = signature.rpartition("/")[0]
        if signature == "true/0":
            return []
        if signature in ("fail/0", "false/0"):
            return [self._auxiliary([], set())]
        if signature == "is/2":
            left = self.terms.pattern(node.args[0])
            return [Assignment(self.terms, left, expression(self.terms, node.args[1]))]
        if name in COMPARISONS and len(node.args) == 2:
            return [Comparison(COMPARISONS[name], *(expression(self.terms, a) for a in node.args))]
        if signature in _EQUALITIES:
            goal = _EQUALITIES[signature](self.terms, self._patterns(node.args))
            return [Negation(goal) if name.startswith("\\") else goal]
        if signature in _FUNCTIONS:
            return [Builtin(self.terms, self._function(function), self._patterns(node.args))]
        raise OutsideFragment

    def _function(self, function: Any) -> Any:
        engine, database = self._engine, self._database
        return lambda *arguments: function(*arguments, engine=engine, database=database)

    def _variables(self, number: int) -> Iterator[int]:
        """The variables of a node of the data base and of those below it."""
        stack = [number]
        while stack:
            node = self._database.get_node(stack.pop())
            kind = type(node).__name__
            if kind in ("conj", "disj"):
                stack.extend(node.children)
            elif kind == "neg":
                stack.append(node.child)
            else:
                yield from _variables(node.args)


def _choosing(arguments: Any, local: Any) -> tuple[Any, ...]:
    """Of the arguments of a probabilistic clause's body, those that its choice depends on."""
    return tuple(a for i, a in enumerate(arguments[2:]) if i not in local)


class _Numbered:
    """The variables of a goal as -1, -2 and so on."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def __getitem__(self, variable: Any) -> int:
        key = len(self.numbers) if variable is None else ("variable", variable)
        return self.numbers.setdefault(key, -1 - len(self.numbers))


def _variables(terms: Any) -> set[int]:
    found: set[int] = set()
    stack = list(terms)
    while stack:
        term = stack.pop()
        if type(term) is int:
            found.add(term)
        elif isinstance(term, Term):
            stack.extend(term.args)
    return found
