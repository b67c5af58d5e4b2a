"""Goals that are built-ins: arithmetic, comparison, unification, and functions of ProbLog's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from deepplp.errors import NoValueError
from deepplp.grounding.clause_base import Builtin, BuiltinFunction, CallNode, ClauseTerm, Location
from deepplp.grounding.ground_budget import StoppedAt
from deepplp.grounding.ordering import COMPARISONS_OF_TERMS, LIST_TESTS, ORDERING_FUNCTIONS
from deepplp.grounding.tabled.arithmetic import COMPARISONS, TensorMetError, expression
from deepplp.grounding.tabled.bodies import signature_of
from deepplp.grounding.tabled.calls import NegationStep
from deepplp.grounding.tabled.ordering import ListTestStep, OrderingStep, TermComparisonStep
from deepplp.grounding.tabled.relations import Run, Step, StepResult
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms
from deepplp.grounding.target import Key
from deepplp.grounding.tensor_arithmetic import comparison, is_tensor, tensor_number
from deepplp.program import Term
from deepplp.watch import StoppedError

__all__ = [
    "AssignmentStep",
    "ComparisonStep",
    "FunctionStep",
    "SameStep",
    "TestStep",
    "UnificationStep",
    "builtin_step",
]


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
        except NoValueError as error:
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


def _ground(terms: Terms, pattern: Pattern, environment: Environment) -> Term:
    found = terms.resolve(pattern, environment)
    if not isinstance(found, int) or found < 0:
        raise OutsideFragment("arithmetic is reached with a free variable")
    return terms.term(found)


def _compared(terms: Terms, run: Run, name: str, left: Term, right: Term, location: Location) -> Key:
    """The key of a comparison of tensors."""
    try:
        decision = comparison(name, left, right, terms.inputs, location)
    except NoValueError as error:
        raise OutsideFragment(error.message, location) from None
    return decision.key(run.target.add_atom)


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
