"""Predicates as rules whose heads and bodies are patterns, and the tables of their calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms

__all__ = ["Predicate", "Rule", "Table"]


class Rule:
    """A clause: the patterns of its head's arguments, its goals and the number of its variables.

    A fact has no variables, and no goal but its choice where it is a probabilistic one.
    """

    __slots__ = ("_terms", "goals", "head", "is_fact", "variables")

    def __init__(
        self, terms: Terms, head: Sequence[Pattern], goals: Sequence[Any], variables: int, is_fact: bool
    ) -> None:
        self._terms = terms
        self.head = tuple(head)
        self.goals = tuple(goals)
        self.variables = variables
        self.is_fact = is_fact

    def enter(self, key: tuple[Pattern, ...], variables: int) -> Environment | None:
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
            if type(a) is not int or a < 0:
                continue
            if type(p) is not int:
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

    def answer(self, key: tuple[Pattern, ...], environment: Environment) -> tuple[int, ...]:
        """The arguments of a call's answer, at the end of the body: those that it gives, and what the head says."""
        found = []
        for i, p in enumerate(self.head):
            value = key[i + 1]
            if type(value) is not int or value < 0:
                value = self._terms.resolve(p, environment)
                if type(value) is not int or value < 0:  # an answer that holds for all values of a variable
                    raise OutsideFragment
            found.append(value)
        return tuple(found)


def _are_free_variables(arguments: tuple[Pattern, ...], variables: int) -> bool:
    """Whether all that is not ground in a call are variables that occur once."""
    return sum(1 for a in arguments if type(a) is not int or a < 0) == variables and all(
        type(a) is int for a in arguments
    )


class Predicate:
    """A predicate's rules in their order, and which of them a call can unify with.

    ``location`` is where ProbLog has its first clause; None for what is a predicate to the engine alone.
    """

    __slots__ = ("_positions", "_terms", "are_facts", "functor", "location", "number", "rules")

    def __init__(self, terms: Terms, number: int, functor: str, location: Any) -> None:
        self._terms = terms
        self.number = number
        self.functor = functor
        self.location = location
        self.rules: list[Rule] = []
        self.are_facts = False
        self._positions: list[_Position] = []

    def define(self, rules: list[Rule]) -> None:
        """Give the predicate its rules."""
        self.rules = rules
        self.are_facts = all(r.is_fact for r in rules)
        arity = len(rules[0].head) if rules else 0
        self._positions = [_Position(self._terms, rules, i) for i in range(arity)]

    def candidates(self, key: tuple[Pattern, ...]) -> list[Rule]:
        """The rules whose heads may unify with a call: those that one of its arguments leaves, the fewest that do."""
        rules = self.rules
        if len(rules) > 1:
            for position, argument in zip(self._positions, key[1:], strict=True):
                if position.tells and type(argument) is int and argument >= 0:
                    found = position.rules_for(argument)
                    if len(found) < len(rules):
                        rules = found
        return rules


class _Position:
    """The rules of a predicate by the functor of one argument of their heads."""

    __slots__ = ("_by_functor", "_structures", "_variable", "tells")

    def __init__(self, terms: Terms, rules: list[Rule], position: int) -> None:
        self._structures = terms.structures
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
        if type(pattern) is not int:
            return ~int(pattern[0])
        if pattern < 0:
            return None
        structure = self._structures[pattern]
        return pattern if structure is None else ~structure[0]

    def rules_for(self, number: int) -> list[Rule]:
        structure = self._structures[number]
        return self._by_functor.get(number if structure is None else ~structure[0], self._variable)


class Table:
    """A call and its answers.

    ``entries`` hold for every answer its arguments, the nodes of its proofs, and the node that stands for it where
    somebody has used it before the table was complete. ``work`` is what is left of the evaluation, the next item last:
    a table, a rule and the number of its next goal, an environment, and the nodes of the goals before as a linked list.
    ``consumers`` are items that wait for more answers. ``order`` and ``low`` find strongly connected tables, as in
    Tarjan's algorithm.
    """

    __slots__ = (
        "complete", "consumers", "entries", "key", "listed", "low", "order", "predicate", "solutions", "started",
        "variables", "work",
    )  # fmt: skip

    def __init__(self, predicate: Predicate, key: tuple[Pattern, ...], variables: int) -> None:
        self.predicate = predicate
        self.key = key
        self.variables = variables
        self.entries: dict[tuple[int, ...], list[Any]] = {}
        self.listed: list[list[Any]] = []  # the entries, in the order in which they came
        self.solutions: list[tuple[tuple[int, ...], int]] = []
        self.work: list[Any] = []
        self.consumers: list[Any] = []
        self.started = False
        self.complete = False
        self.order = self.low = 0
