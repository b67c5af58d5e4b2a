"""Goals that compare or sort terms, in the standard order of terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepplp.grounding.clause_base import CallNode
from deepplp.grounding.ordering import ArgumentFaultError, OrderingFunction
from deepplp.grounding.tabled.relations import Run, StepResult
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms
from deepplp.program import Term

__all__ = ["ListTestStep", "OrderingStep", "TermComparisonStep"]


class TermComparisonStep:
    """``A @< B`` and its like."""

    __slots__ = ("_call", "_compare", "_terms", "patterns")

    def __init__(self, terms: Terms, compare: Callable[[object, object], bool], call: CallNode) -> None:
        self._terms = terms
        self._compare = compare
        self._call = call
        self.patterns: Sequence[Pattern] = [terms.pattern(a) for a in call.args]

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        run.look_at(self.patterns, environment)
        left, right = _arguments(self._terms, self.patterns, environment, self._call)
        return 0 if self._compare(left, right) else None

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


class ListTestStep:
    """A test of which the order of variables is no part."""

    __slots__ = ("_call", "_terms", "_test", "patterns")

    def __init__(self, terms: Terms, test: Callable[..., bool], call: CallNode) -> None:
        self._terms = terms
        self._test = test
        self._call = call
        self.patterns: Sequence[Pattern] = [terms.pattern(a) for a in call.args]

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        run.look_at(self.patterns, environment)
        arguments = [self._terms.clause_term(self._terms.resolve(p, environment)) for p in self.patterns]
        try:
            return 0 if self._test(*arguments) else None
        except ArgumentFaultError as fault:  # ProbLog's engine meets it again
            raise OutsideFragment(str(fault), self._call.location) from None

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


class OrderingStep:
    """``compare/3``, ``sort/2`` and what else computes one of its arguments from the others."""

    __slots__ = ("_call", "_ordering", "_terms", "patterns")

    def __init__(self, terms: Terms, ordering: OrderingFunction, call: CallNode) -> None:
        self._terms = terms
        self._ordering = ordering
        self._call = call
        self.patterns: Sequence[Pattern] = [terms.pattern(a) for a in call.args]

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        run.look_at((p for i, p in enumerate(self.patterns) if i != self._ordering.output), environment)
        found = self._found(environment)
        if found is None:
            return None
        return 0 if self._terms.match(self.patterns[self._ordering.output], found, environment) else None

    def _found(self, environment: Environment) -> int | None:
        """The number of what the output is to be, None where the goal fails."""
        output = self._ordering.output
        given = [p for i, p in enumerate(self.patterns) if i != output]
        arguments = _arguments(self._terms, given, environment, self._call)
        known = self._terms.resolve(self.patterns[output], environment)
        arguments.insert(output, self._terms.term(known) if isinstance(known, int) and known >= 0 else -1)
        try:
            found = self._ordering.function(*arguments)
        except ArgumentFaultError as fault:  # ProbLog's engine meets it again
            raise OutsideFragment(str(fault), self._call.location) from None
        number = None if found is None else self._terms.pattern(found)
        assert number is None or isinstance(number, int)  # the arguments are ground
        return number

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind the output once more."""
        found = self._found(environment)
        assert found is not None
        self._terms.match(self.patterns[self._ordering.output], found, environment)


def _arguments(
    terms: Terms, patterns: Sequence[Pattern], environment: Environment, call: CallNode
) -> list[Term | int | None]:
    """Ground terms, and at most one variable: which of two comes first depends on the engine that numbers them."""
    found: list[Term | int | None] = []
    free = 0
    for p in patterns:
        value = terms.resolve(p, environment)
        if not isinstance(value, int):
            free += 2
            break
        if value < 0:
            free += 1
        found.append(terms.term(value) if value >= 0 else value)
    if free > 1:
        raise OutsideFragment(
            f"{call.functor}/{len(call.args)} is left to ProbLog: its arguments hold free variables", call.location
        )
    return found
