"""Goals that call a predicate, and their negations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from deepplp.grounding.clause_base import Location
from deepplp.grounding.tabled.relations import Atom, Predicate, Run, Step, StepResult, Table
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms

__all__ = ["AbsentStep", "CallStep", "NegationStep"]


class _Missing:
    """What a dictionary of keys has where it has none, since None is a key."""

    __slots__ = ()


_MISSING: Final = _Missing()


class CallStep:
    """A call of a predicate of the program's."""

    __slots__ = ("_terms", "location", "patterns", "predicate")

    def __init__(self, terms: Terms, predicate: Predicate, patterns: Sequence[Pattern], location: Location) -> None:
        self.predicate = predicate
        self.location = location
        self.patterns = patterns
        self._terms = terms

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        key: list[Pattern] = [self.predicate.number]
        free: list[tuple[int, Pattern]] = []
        for p in self.patterns:
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
            return run.table(self.predicate, goal, 0) if isinstance(node, _Missing) else node
        goal, variables = self._terms.canonical(key)
        table = run.table(self.predicate, goal, variables)
        if not isinstance(table, Table):
            return table
        if not table.complete:
            return table
        if table.sees_bindings:
            run.look_at([p for _, p in free], environment)
        return self._bound(table.solutions, free, environment)

    def _bound(
        self,
        solutions: Iterable[tuple[tuple[int, ...], int]],
        free: list[tuple[int, Pattern]],
        environment: Environment,
    ) -> StepResult:
        """The environments that a complete table's answers make of one."""
        found = []
        match = self._terms.match
        for arguments, node in solutions:
            bound = environment.copy()
            for i, p in free:
                if isinstance(p, int) and bound[~p] is None:
                    bound[~p] = arguments[i]
                elif not match(p, arguments[i], bound):
                    break
            else:
                found.append((bound, node))
        return found or None

    def bind(self, arguments: tuple[int, ...], environment: Environment) -> bool:
        """Bind what a single answer says; False where the environment says otherwise."""
        match = self._terms.match
        return all(match(p, a, environment) for p, a in zip(self.patterns, arguments, strict=True))

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind all variables: answers are ground."""
        for p in self.patterns:
            value = self._terms.resolve(p, last)
            if isinstance(value, int) and value >= 0:
                self._terms.match(p, value, environment)

    def atom(self, environment: Environment) -> tuple[Atom, int]:
        """The call in an environment, its variables numbered as they come, and how many there are."""
        resolve = self._terms.resolve
        return self._terms.canonical([self.predicate.number, *(resolve(p, environment) for p in self.patterns)])


class AbsentStep:
    """A call of a predicate without clauses: an error that ProbLog's engine reports."""

    __slots__ = ("_location", "_signature")
    patterns: Sequence[Pattern] = ()

    def __init__(self, signature: str, location: Location) -> None:
        self._signature = signature
        self._location = location

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Leave the goals to ProbLog's engine."""
        raise OutsideFragment(f"{self._signature} has no clauses", self._location)

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing: no proof comes here."""


class NegationStep:
    """A goal that holds where another does not, which is evaluated completely before."""

    __slots__ = ("_location", "inner")

    def __init__(self, inner: Step, location: Location) -> None:
        self.inner = inner
        self._location = location

    @property
    def patterns(self) -> Sequence[Pattern]:
        """What the goal depends on."""
        return self.inner.patterns

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        run.look_at(self.inner.patterns, environment)
        found = self.inner.step(run, environment.copy())
        if found is None:
            return 0
        if isinstance(found, list):
            nodes = {node for _, node in found}
            return run.target.negate(0 if 0 in nodes else run.target.add_or(nodes))
        if isinstance(found, int):
            return -found if found else None
        if found.started:  # it depends on itself by way of its negation, or may do so
            raise OutsideFragment("a goal is negated that may depend on its own negation", self._location)
        return found

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing: what is negated binds nothing outside."""
