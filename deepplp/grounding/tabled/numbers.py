"""Goals that compute and compare numbers, of which some may be tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepplp.errors import DeepPLPError
from deepplp.grounding.clause_base import CallNode, Location
from deepplp.grounding.tabled.arithmetic import COMPARISONS, TensorMetError, expression
from deepplp.grounding.tabled.relations import Run, StepResult
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms
from deepplp.grounding.target import Key
from deepplp.grounding.tensor_arithmetic import Decision, comparison, is_tensor, tensor_number
from deepplp.grounding.tensor_tests import tensor_test
from deepplp.program import Term

__all__ = ["AssignmentStep", "ComparisonStep", "TensorTestStep"]


class AssignmentStep:
    """``X is Expression``; of tensors it makes the term that says how X is computed, or compares X with it."""

    __slots__ = ("_expression", "_left", "_location", "_right", "_terms")
    patterns: Sequence[Pattern] = ()

    def __init__(self, terms: Terms, call: CallNode) -> None:
        left, right = call.args
        self._terms = terms
        self._left, self._right = terms.pattern(left), terms.pattern(right)
        self._expression = expression(terms, right)
        self._location = call.location

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        terms = self._terms
        try:
            number = terms.number(self._expression(environment))
        except TensorMetError:
            number = self._tensor(environment)
            run.look_at([self._left], environment)
            left = terms.resolve(self._left, environment)
            if isinstance(left, int) and left >= 0 and left != number:
                known = terms.term(left)
                if terms.values[left] is None and not is_tensor(known, terms.inputs):
                    return None
                return _compared(terms, run, "=:=", known, terms.term(number), self._location)
        return 0 if terms.match(self._left, number, environment) else None

    def _tensor(self, environment: Environment) -> int:
        """The number of the term that says how the right side is computed."""
        terms = self._terms
        try:
            made = terms.pattern(tensor_number(_ground(terms, self._right, environment), terms.inputs))
        except DeepPLPError as error:
            raise OutsideFragment(error.message, self._location) from None
        assert isinstance(made, int)  # it holds no variable
        return made

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind the left side."""
        try:
            number = self._terms.number(self._expression(environment))
        except TensorMetError:
            number = self._tensor(environment)
        self._terms.match(self._left, number, environment)


class ComparisonStep:
    """``A < B`` and its like; of tensors it is a choice, which each row decides."""

    __slots__ = ("_compare", "_left", "_location", "_name", "_right", "_sides", "_terms")
    patterns: Sequence[Pattern] = ()

    def __init__(self, terms: Terms, name: str, call: CallNode) -> None:
        self._terms = terms
        self._name = name
        self._compare = COMPARISONS[name]
        self._left, self._right = [expression(terms, a) for a in call.args]
        self._sides = [terms.pattern(a) for a in call.args]
        self._location = call.location

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        try:
            return 0 if self._compare(self._left(environment), self._right(environment)) else None
        except TensorMetError:
            left, right = [_ground(self._terms, side, environment) for side in self._sides]
            return _compared(self._terms, run, self._name, left, right, self._location)

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


class TensorTestStep:
    """``above(T, Threshold, Width)`` and its like: a choice, whose probability differs from row to row."""

    __slots__ = ("_location", "_name", "_terms", "patterns")

    def __init__(self, terms: Terms, call: CallNode) -> None:
        self._terms = terms
        self._name = str(call.functor)
        self._location = call.location
        self.patterns: Sequence[Pattern] = [terms.pattern(a) for a in call.args]

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        given = [_ground(self._terms, p, environment) for p in self.patterns]
        return _decided(run, self._location, lambda: tensor_test(self._name, given, self._terms.inputs, self._location))

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


def _ground(terms: Terms, pattern: Pattern, environment: Environment) -> Term:
    found = terms.resolve(pattern, environment)
    if not isinstance(found, int) or found < 0:
        raise OutsideFragment("arithmetic is reached with a free variable")
    return terms.term(found)


def _compared(terms: Terms, run: Run, name: str, left: Term, right: Term, location: Location) -> Key:
    """The key of a comparison of tensors."""
    return _decided(run, location, lambda: comparison(name, left, right, terms.inputs, location))


def _decided(run: Run, location: Location, decide: Callable[[], Decision]) -> Key:
    """The key of what tensors decide."""
    try:
        return decide().key(run.target.add_atom)
    except DeepPLPError as error:  # ProbLog's engine meets it again, and says it
        raise OutsideFragment(error.message, location) from None
