"""Predicates as rules whose heads and bodies are patterns, and the tables of their calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

from deepplp.grounding.clause_base import Location
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms
from deepplp.grounding.target import GroundTarget, Key

__all__ = [
    "Answer",
    "Atom",
    "CallingStep",
    "Consumer",
    "Predicate",
    "Proof",
    "Rule",
    "Run",
    "Step",
    "StepResult",
    "Table",
    "Work",
]

Atom: TypeAlias = tuple[Pattern, ...]
"""A call: the number of its predicate and its arguments, resolved, their variables numbered as they come."""

StepResult: TypeAlias = "int | list[tuple[Environment, int]] | Table | None"


class Run(Protocol):
    """What the steps of a clause ask of the run that they are a part of.

    ``ground`` holds the key of every complete ground call, ``choices`` that of every value of an annotated
    disjunction, ``origins`` its arguments as terms, ``neural`` the keys of the values of every neural choice.
    """

    target: GroundTarget
    ground: dict[Atom, Key]
    choices: dict[tuple[int | None, ...], Key]
    origins: dict[tuple[int, tuple[int | None, ...]], tuple[int, tuple[object, ...]]]
    neural: dict[tuple[Pattern, ...], dict[int, int]]

    def table(self, predicate: Predicate, key: Atom, variables: int) -> Table | Key:
        """The table of a call, or the key of a ground call that needs no table."""

    def look_at(self, patterns: Iterable[Pattern], environment: Environment) -> None:
        """Note that a goal's result may be another one where more of its terms is bound."""


class Step(Protocol):
    """A goal of a clause's body.

    ``patterns`` are the terms by which its result may depend on what is bound when it is reached, and what not.
    """

    @property
    def patterns(self) -> Sequence[Pattern]: ...

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on from an environment, which belongs to the step from now on.

        Variables of it are bound. The key of what holds then is returned, 0 where that is certain; None where the goal
        fails; a list of environments with their keys where there are several answers; or a `Table` that has to be
        evaluated first.
        """

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind what `step` has bound in the proof whose last environment is ``last``."""


class CallingStep(Step, Protocol):
    """A goal that may have to wait for the answers of a table that is being evaluated."""

    def bind(self, arguments: tuple[int, ...], environment: Environment) -> bool:
        """Bind what a single answer says; False where the environment says otherwise."""


class Rule:
    """A clause: the patterns of its head's arguments, its goals and the number of its variables.

    A fact has no variables, and no goal but its choice where it is a probabilistic one. ``clause`` is the number of
    its node; ``body`` the number of the node that its goals are made of, None for a fact. ``location`` is where the
    program states it, or calls the library that does.
    """

    __slots__ = ("_terms", "body", "clause", "goals", "head", "location", "variables")

    def __init__(
        self,
        terms: Terms,
        head: Sequence[Pattern],
        goals: Sequence[Step],
        variables: int,
        clause: int,
        body: int | None,
        location: Location,
    ) -> None:
        self._terms = terms
        self.head = tuple(head)
        self.goals = tuple(goals)
        self.variables = variables
        self.clause = clause
        self.body = body
        self.location = location

    def enter(self, key: Atom, variables: int) -> Environment | None:
        """The environment in which the body begins for a call; None where the head does not unify with it."""
        arguments = key[1:]
        environment: Environment = [None] * self.variables
        if variables and not _are_free_variables(arguments, variables):
            environment += [None] * variables
            for p, a in zip(self.head, arguments, strict=True):
                if not self._terms.unify(p, self._terms.shifted(a, self.variables), environment):
                    return None
            return environment
        for p, a in zip(self.head, arguments, strict=True):
            if not isinstance(a, int) or a < 0:
                continue
            if not isinstance(p, int):
                if not self._terms.match(p, a, environment):
                    return None
            elif p >= 0:
                if p != a:
                    return None
            elif environment[~p] is None:
                environment[~p] = a
            elif environment[~p] != a:
                return None
        return environment

    def answer(self, key: Atom, environment: Environment) -> tuple[int, ...]:
        """The arguments of a call's answer, at the end of the body: those that it gives, and what the head says."""
        found = []
        for i, p in enumerate(self.head):
            value = key[i + 1]
            if not isinstance(value, int) or value < 0:
                value = self._terms.resolve(p, environment)
                if not isinstance(value, int) or value < 0:
                    raise OutsideFragment("an answer holds for all values of a variable")
            found.append(value)
        return tuple(found)


def _are_free_variables(arguments: Atom, variables: int) -> bool:
    """Whether all that is not ground in a call are variables that occur once."""
    return sum(1 for a in arguments if not isinstance(a, int) or a < 0) == variables and all(
        isinstance(a, int) for a in arguments
    )


class Predicate:
    """A predicate's rules in their order, and which of them a call can unify with.

    ``definition`` is the number of its node; for a predicate that stands for a part of a clause, which has no name
    (``functor`` is empty), the number of that part's node, a disjunction or what is negated. ``location`` is where its
    first clause stands, None for such a part. ``is_body`` says that it is the body of an annotated disjunction.
    """

    __slots__ = (
        "_positions", "_terms", "are_facts", "definition", "functor", "is_body", "location", "number", "rules",
    )  # fmt: skip

    def __init__(
        self, terms: Terms, number: int, functor: str, definition: int | None, location: Location, is_body: bool
    ) -> None:
        self._terms = terms
        self.number = number
        self.functor = functor
        self.definition = definition
        self.location = location
        self.is_body = is_body
        self.rules: list[Rule] = []
        self.are_facts = False
        self._positions: list[_Position] = []

    def define(self, rules: list[Rule]) -> None:
        """Give the predicate its rules."""
        self.rules = rules
        self.are_facts = all(r.body is None for r in rules)
        arity = len(rules[0].head) if rules else 0
        self._positions = [_Position(self._terms, rules, i) for i in range(arity)]

    def candidates(self, key: Atom) -> list[Rule]:
        """The rules whose heads may unify with a call: those that one of its arguments leaves, the fewest that do."""
        rules = self.rules
        if len(rules) > 1:
            for position, argument in zip(self._positions, key[1:], strict=True):
                if position.tells and isinstance(argument, int) and argument >= 0:
                    found = position.rules_for(argument)
                    if len(found) < len(rules):
                        rules = found
        return rules


class _Position:
    """The rules of a predicate by the functor of one argument of their heads."""

    __slots__ = ("_by_functor", "_compounds", "_variable", "tells")

    def __init__(self, terms: Terms, rules: list[Rule], position: int) -> None:
        self._compounds = terms.compounds
        by_functor: dict[int, list[Rule]] = {}
        variable: list[Rule] = []
        for rule in rules:
            functor = self._functor(rule.head[position])
            if functor is not None:
                if functor not in by_functor:
                    by_functor[functor] = variable.copy()
                by_functor[functor].append(rule)
                continue
            variable.append(rule)
            for found in by_functor.values():
                found.append(rule)
        self._by_functor = by_functor
        self._variable = variable
        self.tells = bool(by_functor)

    def _functor(self, pattern: Pattern) -> int | None:
        """The number of an atomic term, ~n for a term of functor n, None for a variable."""
        if not isinstance(pattern, int):
            return ~pattern[0]
        if pattern < 0:
            return None
        parts = self._compounds[pattern]
        return pattern if parts is None else ~parts[0]

    def rules_for(self, number: int) -> list[Rule]:
        parts = self._compounds[number]
        return self._by_functor.get(number if parts is None else ~parts[0], self._variable)


Proof: TypeAlias = "tuple[int, Proof] | None"
"""The keys of the goals before, the last one first, those that are certain left out."""


Work: TypeAlias = "tuple[Table, Rule, int, Environment, Proof]"
"""What is left of a clause: the table that it proves an answer of, itself, its next goal, and where it stands."""


class Consumer:
    """What is left of a clause whose goal ``call`` waits for answers of a table; ``seen`` says how many it has had."""

    __slots__ = ("call", "seen", "work")

    def __init__(self, call: CallingStep, work: Work) -> None:
        self.call = call
        self.work = work
        self.seen = 0


class Answer:
    """An answer of a table that is being evaluated: its arguments, and the nodes of its proofs.

    ``opened`` is the key that stands for it where somebody has used it before its table was complete.
    """

    __slots__ = ("arguments", "nodes", "opened")

    def __init__(self, arguments: tuple[int, ...], node: int) -> None:
        self.arguments = arguments
        self.nodes = [node]
        self.opened: Key = None


class Table:
    """A call and its answers.

    ``entries`` are the answers that have come so far, by their arguments and in their order; ``solutions`` what is
    left of them when all are there. ``work`` is what is left of the evaluation, the next item last, ``consumers`` what
    waits for more answers. ``order`` and ``low`` find strongly connected tables, as in Tarjan's algorithm. ``growth``
    counts the answers that hold terms which are new since the evaluation began, when there were ``known`` ones.
    ``sees_bindings`` says that an instance of the call may be proved in other ways than the answers that are its
    instances: a goal, such as ``var(X)``, has looked at a variable of the call.
    """

    __slots__ = (
        "complete", "consumers", "entries", "growth", "key", "known", "listed", "low", "order", "predicate",
        "sees_bindings", "solutions", "started", "variables", "work",
    )  # fmt: skip

    def __init__(self, predicate: Predicate, key: Atom, variables: int) -> None:
        self.predicate = predicate
        self.key = key
        self.variables = variables
        self.entries: dict[tuple[int, ...], Answer] = {}
        self.listed: list[Answer] = []
        self.solutions: list[tuple[tuple[int, ...], int]] = []
        self.work: list[Work] = []
        self.consumers: list[Consumer] = []
        self.started = False
        self.complete = False
        self.sees_bindings = False
        self.order = self.low = 0
        self.growth = self.known = 0
