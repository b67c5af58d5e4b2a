"""Goals that are built-ins: comparison of terms, unification, and functions of ProbLog's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from deepplp.grounding.clause_base import Builtin, BuiltinFunction, CallNode, ClauseTerm
from deepplp.grounding.ground_budget import StoppedAt
from deepplp.grounding.ordering import COMPARISONS_OF_TERMS, LIST_TESTS, ORDERING_FUNCTIONS
from deepplp.grounding.tabled.arithmetic import COMPARISONS
from deepplp.grounding.tabled.bodies import signature_of
from deepplp.grounding.tabled.calls import NegationStep
from deepplp.grounding.tabled.numbers import AssignmentStep, ComparisonStep
from deepplp.grounding.tabled.ordering import ListTestStep, OrderingStep, TermComparisonStep
from deepplp.grounding.tabled.relations import Run, Step, StepResult
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms
from deepplp.watch import StoppedError

__all__ = [
    "FunctionStep",
    "SameStep",
    "TestStep",
    "UnificationStep",
    "builtin_step",
]


class UnificationStep:
    """``A = B``."""

    __slots__ = ("_left", "_right", "_terms")

    def __init__(self, terms: Terms, left: Pattern, right: Pattern) -> None:
        self._terms = terms
        self._left = left
        self._right = right

    @property
    def patterns(self) -> Sequence[Pattern]:
        """Both sides."""
        return self._left, self._right

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        return 0 if self._terms.unify(self._left, self._right, environment) else None

    def replay(self, environment: Environment, last: Environment) -> None:
        """Unify once more."""
        self._terms.unify(self._left, self._right, environment)


class SameStep:
    """``A == B``."""

    __slots__ = ("_left", "_right", "_terms")

    def __init__(self, terms: Terms, left: Pattern, right: Pattern) -> None:
        self._terms = terms
        self._left = left
        self._right = right

    @property
    def patterns(self) -> Sequence[Pattern]:
        """Both sides."""
        return self._left, self._right

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        run.look_at(self.patterns, environment)
        same = self._terms.resolve(self._left, environment) == self._terms.resolve(self._right, environment)
        return 0 if same else None

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


class TestStep:
    """A predicate of ProbLog's that tests one argument, such as ``is_list/1``; it may hold free variables."""

    __slots__ = ("_function", "_terms", "patterns")

    def __init__(self, terms: Terms, function: BuiltinFunction, call: CallNode) -> None:
        self._terms = terms
        self._function = function
        self.patterns: Sequence[Pattern] = [terms.pattern(a) for a in call.args]

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        run.look_at(self.patterns, environment)
        value = self._terms.resolve(self.patterns[0], environment)
        return 0 if self._function(self._terms.clause_term(value)) else None

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


class FunctionStep:
    """A predicate of ProbLog's that is a function of ground arguments, and of some that may be free."""

    __slots__ = ("_call", "_function", "_terms", "patterns")

    def __init__(self, terms: Terms, function: BuiltinFunction, call: CallNode) -> None:
        self._terms = terms
        self._function = function
        self._call = call
        self.patterns = [terms.pattern(a) for a in call.args]

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        resolved = [self._terms.resolve(p, environment) for p in self.patterns]
        try:
            answers = self._answers(resolved)
            if isinstance(answers, bool):
                return 0 if answers else None
            found: list[tuple[Environment, int]] = []
            for answer in answers:
                bound = environment.copy()
                if all(self._terms.match(r, value, bound) for r, value in zip(resolved, answer, strict=True)):
                    found.append((bound, 0))
            return found or None
        except StoppedError as stop:
            stop.notes.append(StoppedAt(signature_of(self._call), self._call.location))
            raise

    def _answers(self, resolved: Sequence[Pattern]) -> bool | list[list[int]]:
        """Whether it holds, or its answers as numbers of ground terms."""
        given: list[ClauseTerm] = []
        for r in resolved:
            if not isinstance(r, int):
                raise self._outside("an argument of it holds a free variable")
            given.append(self._terms.term(r) if r >= 0 else r)
        try:
            answers = self._function(*given)
        except Exception:  # whatever it is, ProbLog's engine meets it again, and says it
            raise self._outside("it does not take the arguments that it is called with") from None
        if answers is None or isinstance(answers, bool):
            return bool(answers)
        return [[self._ground(self._terms.pattern(a)) for a in answer] for answer in answers]

    def _ground(self, value: Pattern) -> int:
        if not isinstance(value, int) or value < 0:
            raise self._outside("an answer of it holds a free variable")
        return value

    def _outside(self, what: str) -> OutsideFragment:
        return OutsideFragment(
            f"{self._call.functor}/{len(self._call.args)} is left to ProbLog: {what}", self._call.location
        )

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind what the proof's answer says; a test binds nothing."""
        resolve = self._terms.resolve
        if isinstance(self._answers([resolve(p, environment) for p in self.patterns]), bool):
            return
        for p in self.patterns:
            value = resolve(p, last)
            if isinstance(value, int) and value >= 0:
                self._terms.match(p, value, environment)


_TESTS = frozenset(
    {
        "var/1", "nonvar/1", "atom/1", "atomic/1", "compound/1", "float/1", "integer/1", "number/1", "simple/1",
        "callable/1", "ground/1", "is_list/1",
    }
)  # fmt: skip
_FUNCTIONS = frozenset({"between/3", "succ/2", "plus/3", "length/2", "=../2", "atom_number/2"})
_EQUALITIES: Mapping[str, type[UnificationStep] | type[SameStep]] = MappingProxyType(
    {"=/2": UnificationStep, "\\=/2": UnificationStep, "==/2": SameStep, "\\==/2": SameStep}
)


def builtin_step(terms: Terms, builtin: Builtin, call: CallNode) -> Step | None:
    """The step of a built-in; None where the tabled engine does not speak it."""
    if builtin.function is None:
        return None
    signature = builtin.signature
    name = signature.rpartition("/")[0]
    if signature == "is/2":
        return AssignmentStep(terms, call)
    if name in COMPARISONS and len(call.args) == 2:
        return ComparisonStep(terms, name, call)
    if signature in _EQUALITIES:
        step = _EQUALITIES[signature](terms, *(terms.pattern(a) for a in call.args))
        return NegationStep(step, call.location) if name.startswith("\\") else step
    if signature in LIST_TESTS:
        return ListTestStep(terms, LIST_TESTS[signature], call)
    if signature in COMPARISONS_OF_TERMS:
        return TermComparisonStep(terms, COMPARISONS_OF_TERMS[signature], call)
    if signature in ORDERING_FUNCTIONS:
        return OrderingStep(terms, ORDERING_FUNCTIONS[signature], call)
    if signature in _TESTS:
        return TestStep(terms, builtin.function, call)
    return FunctionStep(terms, builtin.function, call) if signature in _FUNCTIONS else None
