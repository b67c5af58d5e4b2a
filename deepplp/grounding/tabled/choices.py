"""Goals that are choices: probabilistic facts, annotated disjunctions, neural declarations."""

from __future__ import annotations

from collections.abc import Sequence

from deepplp.errors import DeepPLPError
from deepplp.grounding.clause_base import CallNode, ChoiceNode, FactNode
from deepplp.grounding.neural_choices import NeuralChoice, NeuralChoices
from deepplp.grounding.tabled.relations import Run, StepResult
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern, Terms
from deepplp.grounding.target import TRUE_KEY, Key
from deepplp.program import Term

__all__ = ["ChooseStep", "FactStep", "NeuralStep"]


class FactStep:
    """A probabilistic fact: a choice of its own."""

    __slots__ = ("_fact", "_name", "_number")
    patterns: Sequence[Pattern] = ()

    def __init__(self, number: int, fact: FactNode) -> None:
        self._number = number
        self._fact = fact
        self._name = Term(fact.functor, *fact.args)

    def step(self, run: Run, environment: Environment) -> int:
        """The fact's atom."""
        return run.target.add_atom(self._number, self._fact.probability, name=self._name)

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


class ChooseStep:
    """A value of the choice that a probabilistic clause is for every grounding of its variables."""

    __slots__ = ("_choice", "_node", "_terms", "_variables")
    patterns: Sequence[Pattern] = ()

    def __init__(self, terms: Terms, number: int, choice: ChoiceNode) -> None:
        self._terms = terms
        self._node = number
        self._choice = choice
        self._variables = [None if i in choice.locvars else ~a for i, a in enumerate(choice.args)]

    def step(self, run: Run, environment: Environment) -> Key:
        """The atom of the value."""
        values: list[int | None] = []
        for p in self._variables:
            if p is None:
                values.append(None)
                continue
            value = self._terms.resolve(p, environment)
            if not isinstance(value, int) or value < 0:
                raise OutsideFragment("a probabilistic clause is reached with a free variable", self._choice.location)
            values.append(value)
        key = (self._node, *values)
        if key not in run.choices:
            run.choices[key] = self._atom(run, tuple(values))
        return run.choices[key]

    def _atom(self, run: Run, values: tuple[int | None, ...]) -> Key:
        choice = self._choice
        key = (choice.group, values)
        origin = run.origins.get(key)
        if origin is None:
            context = tuple(None if v is None else self._terms.term(v) for v in values)
            origin = run.origins[key] = choice.group, context
        probability = choice.probability
        if isinstance(probability, int):
            probability = origin[1][probability]
        elif probability is not None and probability.arity:
            probability = probability.apply(origin[1])
        return run.target.add_atom((*origin, choice.choice), probability, group=origin)

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind nothing."""


class NeuralStep:
    """The values of a neural declaration, all of which are known at the first call on the same inputs."""

    __slots__ = ("_declaration", "_domain", "_inputs", "_key", "_location", "_neural", "_output", "_terms", "number")
    patterns: Sequence[Pattern] = ()

    def __init__(self, terms: Terms, neural: NeuralChoices, number: int, call: CallNode) -> None:
        self._terms = terms
        self._neural = neural
        self._location = call.location
        self.number = number
        self._declaration = neural.declaration(call.args[0])
        self._key, self._inputs, self._output, self._domain = [terms.pattern(a) for a in call.args[1:]]

    def step(self, run: Run, environment: Environment) -> StepResult:
        """Go on: see `Step`."""
        resolve = self._terms.resolve
        key = (
            self.number,
            resolve(self._key, environment),
            resolve(self._inputs, environment),
            resolve(self._domain, environment),
        )
        values = run.neural.get(key)
        if values is None:
            values = run.neural[key] = self._values(run, *key[1:])
        output = resolve(self._output, environment)
        if isinstance(output, int) and output >= 0:
            return values.get(output)
        found = []
        for value, node in values.items():
            bound = environment.copy()
            if self._terms.match(output, value, bound):
                found.append((bound, node))
        return found or None

    def _values(self, run: Run, *numbers: Pattern) -> dict[int, int]:
        """The values by their numbers, with their keys; ``numbers`` are those of the key, the inputs and the domain."""
        given = []
        for number in numbers:
            if not isinstance(number, int) or number < 0:
                raise OutsideFragment("a neural predicate is reached with a free variable", self._location)
            given.append(self._terms.term(number))
        try:
            choice = self._neural.choice(self._declaration, *given)
        except DeepPLPError as error:
            raise OutsideFragment(error.message, self._location) from None
        if not isinstance(choice, NeuralChoice):
            return {self._number_of(choice): TRUE_KEY}
        values = [self._number_of(v) for v in choice.values]
        if not values:  # of nn/2, whose output stays as it is
            assert isinstance(self._output, int)
            values = [self._output]
        return {v: run.target.add_atom(*choice.atom(i)) for i, v in enumerate(values)}

    def _number_of(self, term: Term) -> int:
        number = self._terms.pattern(term)
        assert isinstance(number, int)  # values are ground
        return number

    def replay(self, environment: Environment, last: Environment) -> None:
        """Bind the output."""
        value = self._terms.resolve(self._output, last)
        if isinstance(value, int) and value >= 0:
            self._terms.match(self._output, value, environment)
