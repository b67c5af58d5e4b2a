"""The goals of a clause's body, each of which says how to go on from an environment.

``step`` binds variables of the environment and gives the ground node that holds then (0 where that is certain), None
where the goal fails, a list of environments with their nodes where there are several answers, or a `Table` that has to
be evaluated first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from problog.logic import Term

from deepplp.errors import DeepPLPError
from deepplp.grounding.tabled.relations import Predicate
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms

__all__ = [
    "Absent",
    "Assignment",
    "Builtin",
    "Call",
    "Choose",
    "Comparison",
    "Fact",
    "Goal",
    "Negation",
    "Neural",
    "Same",
    "Step",
    "Unification",
]

Step = Any  # int | None | list[tuple[Environment, int]] | Table
Expression = Callable[[Environment], Any]
_MISSING = object()


class Goal(Protocol):
    """One step of a clause's body."""

    def step(self, run: Any, environment: Environment) -> Step:
        """Go on from an environment, which belongs to the goal from now on."""


class Call:
    """A call of a predicate of the program's."""

    __slots__ = ("_patterns", "_terms", "location", "predicate")

    def __init__(self, terms: Terms, predicate: Predicate, patterns: list[Pattern], location: Any) -> None:
        self.predicate = predicate
        self.location = location
        self._patterns = patterns
        self._terms = terms

    def step(self, run: Any, environment: Environment) -> Step:
        key: list[Any] = [self.predicate.number]
        free: list[tuple[int, Pattern]] = []
        for p in self._patterns:
            if type(p) is int:
                if p < 0:
                    bound = environment[~p]
                    if bound is not None:
                        p = bound if type(bound) is int and bound >= 0 else self._terms.resolve(bound, environment)
            else:
                p = self._terms.resolve(p, environment)
            if type(p) is not int or p < 0:
                free.append((len(key) - 1, p))
            key.append(p)
        if not free:
            goal = tuple(key)
            node = run.ground.get(goal, _MISSING)
            return node if node is not _MISSING else run.table(self.predicate, goal, 0)
        goal, variables = self._terms.canonical(key)
        table = run.table(self.predicate, goal, variables)
        return self._bound(table.solutions, free, environment) if table.complete else table

    def _bound(self, solutions: list[Any], free: list[tuple[int, Pattern]], environment: Environment) -> Step:
        """The environments that a complete table's answers make of one."""
        found = []
        match = self._terms.match
        for arguments, node in solutions:
            bound = environment.copy()
            for i, p in free:
                if type(p) is int and bound[~p] is None:
                    bound[~p] = arguments[i]
                elif not match(p, arguments[i], bound):
                    break
            else:
                found.append((bound, node))
        return found or None

    def bind(self, arguments: tuple[int, ...], environment: Environment) -> bool:
        """Bind what a single answer says."""
        match = self._terms.match
        return all(match(p, a, environment) for p, a in zip(self._patterns, arguments, strict=True))


class Fact:
    """A probabilistic fact: a choice of its own."""

    __slots__ = ("_fact", "_name", "_number")

    def __init__(self, number: int, fact: Any) -> None:
        self._number = number
        self._fact = fact
        self._name = Term(fact.functor, *fact.args)

    def step(self, run: Any, environment: Environment) -> Step:
        return run.target.add_atom(self._number, self._fact.probability, name=self._name)


class Absent:
    """A call of a predicate without clauses: an error that ProbLog's engine reports."""

    def step(self, run: Any, environment: Environment) -> Step:
        raise OutsideFragment


class Negation:
    """A goal that holds where another does not, which is evaluated completely before."""

    __slots__ = ("_goal",)

    def __init__(self, goal: Goal) -> None:
        self._goal = goal

    def step(self, run: Any, environment: Environment) -> Step:
        found = self._goal.step(run, environment.copy())
        if found is None:
            return 0
        if type(found) is list:
            nodes = {node for _, node in found}
            found = 0 if 0 in nodes else run.target.add_or(nodes)
        if type(found) is int:
            return -found if found else None
        if found.started:  # it depends on itself by way of its negation, or may do so
            raise OutsideFragment
        return found


class Choose:
    """A value of the choice that a probabilistic clause is for every grounding of its variables."""

    __slots__ = ("_choice", "_node", "_patterns", "_terms")

    def __init__(self, terms: Terms, number: int, choice: Any) -> None:
        self._terms = terms
        self._node = number
        self._choice = choice
        self._patterns = [None if i in choice.locvars else ~a for i, a in enumerate(choice.args)]

    def step(self, run: Any, environment: Environment) -> Step:
        values: list[int | None] = []
        for p in self._patterns:
            if p is None:
                values.append(None)
                continue
            value = self._terms.resolve(p, environment)
            if type(value) is not int or value < 0:
                raise OutsideFragment
            values.append(value)
        key = (self._node, *values)
        found = run.choices.get(key, _MISSING)
        if found is _MISSING:
            found = run.choices[key] = self._atom(run, tuple(values))
        return found

    def _atom(self, run: Any, values: tuple[int | None, ...]) -> int | None:
        choice = self._choice
        key = (choice.group, values)
        origin = run.origins.get(key)
        if origin is None:
            context = tuple(None if v is None else self._terms.term(v) for v in values)
            origin = run.origins[key] = choice.group, context
        probability = choice.probability
        if isinstance(probability, Term) and probability.arity:
            probability = probability.apply(origin[1])
        elif isinstance(probability, int):
            probability = origin[1][probability]
        node: int | None = run.target.add_atom((*origin, choice.choice), probability, group=origin)
        return node


class Neural:
    """The values of a neural declaration, all of which are known at the first call on the same inputs."""

    __slots__ = ("_declaration", "_domain", "_engine", "_inputs", "_key", "_output", "_terms", "number")

    def __init__(self, terms: Terms, engine: Any, number: int, patterns: list[Pattern]) -> None:
        self._terms = terms
        self._engine = engine
        self.number = number
        self._declaration, self._key, self._inputs, self._output, self._domain = patterns

    def step(self, run: Any, environment: Environment) -> Step:
        resolve = self._terms.resolve
        key = (
            self.number,
            resolve(self._key, environment),
            resolve(self._inputs, environment),
            resolve(self._domain, environment),
        )
        values = run.neural.get(key)
        if values is None:
            values = run.neural[key] = self._values(run, key)
        output = resolve(self._output, environment)
        if type(output) is int and output >= 0:
            return values.get(output)
        found = []
        for value, node in values.items():
            bound = environment.copy()
            if self._terms.match(output, value, bound):
                found.append((bound, node))
        return found or None

    def _values(self, run: Any, key: tuple[Any, ...]) -> dict[int, int]:
        if not all(type(k) is int and k >= 0 for k in key):
            raise OutsideFragment
        term = self._terms.term
        try:
            answers = list(
                self._engine.neural(
                    term(self._declaration), term(key[1]), term(key[2]), None, term(key[3]), target=run.target
                )
            )
        except DeepPLPError:
            raise OutsideFragment from None
        found = {}
        for (_, _, _, output, _), node in answers:
            # nn/2 has no output: its argument stays as it is.
            found[self._output if output is None else self._terms.pattern(output)] = node
        return found


class Assignment:
    """``X is Expression``."""

    __slots__ = ("_expression", "_left", "_terms")

    def __init__(self, terms: Terms, left: Pattern, expression: Expression) -> None:
        self._terms = terms
        self._left = left
        self._expression = expression

    def step(self, run: Any, environment: Environment) -> Step:
        number = self._terms.number(self._expression(environment))
        return 0 if self._terms.match(self._left, number, environment) else None


class Comparison:
    """``A < B`` and its like."""

    __slots__ = ("_compare", "_left", "_right")

    def __init__(self, compare: Callable[[Any, Any], bool], left: Expression, right: Expression) -> None:
        self._compare = compare
        self._left = left
        self._right = right

    def step(self, run: Any, environment: Environment) -> Step:
        return 0 if self._compare(self._left(environment), self._right(environment)) else None


class Unification:
    """``A = B``."""

    __slots__ = ("_left", "_right", "_terms")

    def __init__(self, terms: Terms, sides: list[Pattern]) -> None:
        self._terms = terms
        self._left, self._right = sides

    def step(self, run: Any, environment: Environment) -> Step:
        return 0 if self._terms.unify(self._left, self._right, environment) else None


class Same:
    """``A == B``."""

    __slots__ = ("_left", "_right", "_terms")

    def __init__(self, terms: Terms, sides: list[Pattern]) -> None:
        self._terms = terms
        self._left, self._right = sides

    def step(self, run: Any, environment: Environment) -> Step:
        same = self._terms.resolve(self._left, environment) == self._terms.resolve(self._right, environment)
        return 0 if same else None


class Builtin:
    """A predicate of ProbLog's that is a function of ground arguments, and of one that may be free."""

    __slots__ = ("_call", "_patterns", "_terms")

    def __init__(self, terms: Terms, call: Callable[..., Any], patterns: list[Pattern]) -> None:
        self._terms = terms
        self._call = call
        self._patterns = patterns

    def step(self, run: Any, environment: Environment) -> Step:
        resolved = [self._terms.resolve(p, environment) for p in self._patterns]
        given: list[Any] = []
        for r in resolved:
            if type(r) is not int:  # a term that holds a variable
                raise OutsideFragment
            given.append(self._terms.term(r) if r >= 0 else r)
        try:
            answers = self._call(*given)
        except Exception:  # whatever it is, ProbLog's engine meets it again
            raise OutsideFragment from None
        if type(answers) is bool or answers is None:
            return 0 if answers else None
        found = []
        for answer in answers:
            bound = environment.copy()
            values = [self._terms.pattern(a) for a in answer]
            if any(type(v) is not int or v < 0 for v in values):
                raise OutsideFragment
            if all(self._terms.match(r, v, bound) for r, v in zip(resolved, values, strict=True)):
                found.append((bound, 0))
        return found or None
