"""The clauses of a program as predicates for tabled evaluation, as far as they are within the fragment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deepplp.grounding.clause_base import (
    NEURAL,
    CallNode,
    ChoiceNode,
    ClauseBase,
    ClauseNode,
    ClauseTerm,
    ConjunctionNode,
    DefinitionNode,
    DisjunctionNode,
    ExternNode,
    FactNode,
    Location,
    NegationNode,
)
from deepplp.grounding.neural_choices import NeuralChoices
from deepplp.grounding.tabled.bodies import (
    Part,
    choosing,
    part_at,
    parts_of,
    signature_of,
    variables_below,
    variables_in,
    why_not,
)
from deepplp.grounding.tabled.builtins import builtin_step
from deepplp.grounding.tabled.calls import AbsentStep, CallStep, NegationStep
from deepplp.grounding.tabled.choices import ChooseStep, FactStep, NeuralStep
from deepplp.grounding.tabled.numbers import TensorTestStep
from deepplp.grounding.tabled.relations import Atom, Predicate, Rule, Step
from deepplp.grounding.tabled.terms import OutsideFragment, Pattern, Terms
from deepplp.program import Term

__all__ = ["Translation"]


class Translation:
    """The predicates of a program, translated when they are first asked for, with all that they call.

    A predicate is outside of the fragment if a goal of its clauses is, or a predicate that they call.
    """

    def __init__(self, base: ClauseBase, neural: NeuralChoices) -> None:
        self.terms = Terms()
        self.groups: dict[int, int] = {}  # of annotated disjunctions, by the clause that holds their body
        self._base = base
        self._neural = neural
        self._outside: dict[int, OutsideFragment] = {}
        self._count = 0
        self._by_number: dict[int, Predicate] = {}
        self._by_name: dict[tuple[str, int], Predicate] = {}  # several numbers may stand for one predicate
        self._bodies: dict[int, tuple[Predicate, list[Pattern]]] = {}  # of annotated disjunctions, for all their heads
        self._waiting: list[tuple[DefinitionNode, Predicate, Location]] = []
        self._place: Location = None  # where the program calls the library that is being translated

    def call(self, goal: Term) -> tuple[Predicate, Atom, int]:
        """The predicate of a goal, its call and the number of its variables."""
        predicate = self._predicate(goal)
        variables = _Numbered()
        return predicate, (predicate.number, *self._patterns(goal.apply(variables).args)), len(variables.numbers)

    def _predicate(self, goal: Term) -> Predicate:
        obstacle, number = self._base.obstacle, self._base.find(goal)
        if obstacle is not None:
            raise OutsideFragment(obstacle)
        if number is None or number < 0:
            raise OutsideFragment(f"{goal.signature} {why_not(None)}" if number is None else _unspoken(goal.signature))
        known = self._outside.get(number)
        if known is not None:
            raise OutsideFragment(known.reason, known.location)
        before = self._by_number.copy(), self._by_name.copy(), self._bodies.copy()
        try:
            found = self._of(number, goal.signature, None)
            while self._waiting:
                self._define(*self._waiting.pop())
        except (OutsideFragment, RecursionError) as error:
            self._waiting.clear()
            self._by_number, self._by_name, self._bodies = before
            if isinstance(error, RecursionError):
                error = OutsideFragment("a term is nested too deeply to be taken apart")
            self._outside[number] = error
            raise error from None
        return found

    def _of(self, number: int, signature: str, place: Location, *, is_body: bool = False) -> Predicate:
        """The predicate of a definition, whose rules may come later."""
        found = self._by_number.get(number)
        if found is None:
            node = self._base.node(number)
            if not isinstance(node, DefinitionNode):
                raise OutsideFragment(f"{signature} {why_not(node)}", place)
            key = node.functor, node.arity
            found = self._by_name.get(key)
            if found is None:
                found = self._by_name[key] = self._new(str(node.functor), number, node.location, is_body)
                self._waiting.append((node, found, place))
            self._by_number[number] = found
        if found.is_body != is_body:
            raise OutsideFragment(f"{signature} has the name of an annotated disjunction's body", place)
        return found

    def _new(self, functor: str, definition: int | None, location: Location, is_body: bool) -> Predicate:
        self._count += 1
        return Predicate(self.terms, self._count, functor, definition, location, is_body)

    def _define(self, node: DefinitionNode, predicate: Predicate, place: Location) -> None:
        assert predicate.definition is not None
        self._place = place if self._base.library_of(predicate.definition) is not None else None
        try:
            rules = [self._rule(number, predicate) for number in node.clauses]
        except OutsideFragment as error:
            error.place(predicate.location)
            raise
        if predicate.is_body and len(rules) != 1:
            raise OutsideFragment(f"{node.functor}/{node.arity} has the name of an annotated disjunction's body", place)
        predicate.define(rules)

    def _rule(self, number: int, predicate: Predicate) -> Rule:
        clause = self._base.node(number)
        if isinstance(clause, FactNode):
            choice = () if clause.probability is None else (FactStep(number, clause),)
            return Rule(self.terms, self._patterns(clause.args), choice, 0, number, None, clause.location)
        if not isinstance(clause, ClauseNode):
            raise OutsideFragment(f"{predicate.functor} {why_not(clause)}")
        head = clause.args
        if predicate.is_body:
            self.groups[number] = int(head[0])
            head = choosing(head, clause.locvars)
        try:
            goals = self._goals(clause, number)
            place = clause.location if self._place is None else self._place
            return Rule(self.terms, self._patterns(head), goals, clause.varcount, number, clause.child, place)
        except OutsideFragment as error:
            error.place(clause.location if self._place is None else self._place)
            raise

    def _patterns(self, terms: Iterable[ClauseTerm]) -> list[Pattern]:
        return [self.terms.pattern(t) for t in terms]

    def _goals(self, clause: ClauseNode, number: int) -> Sequence[Step]:
        """The goals of a clause; of a head of an annotated disjunction, its body as one call, and the choice."""
        if clause.group is None:
            return self._conjunction(clause.child, variables_in(clause.args), number)
        both = self._base.node(clause.child)
        assert isinstance(both, ConjunctionNode)
        chosen = self._base.node(both.children[1])
        assert isinstance(chosen, CallNode)
        choice = self._base.node(chosen.defnode)
        assert isinstance(choice, ChoiceNode)
        known = self._bodies.get(clause.group)
        if known is None:
            body = self._base.node(both.children[0])
            assert isinstance(body, CallNode)
            place = clause.location if self._place is None else self._place
            predicate = self._of(body.defnode, signature_of(body), place, is_body=True)
            known = self._bodies[clause.group] = predicate, self._patterns(choosing(body.args, choice.locvars))
        return CallStep(self.terms, *known, clause.location), ChooseStep(self.terms, chosen.defnode, choice)

    def _conjunction(self, number: int, outside: set[int], clause: int) -> list[Step]:
        """The goals of a body. ``outside`` are variables that occur elsewhere in the clause."""
        parts = parts_of(self._base, number, ConjunctionNode)
        variables: list[set[int]] | None = None
        goals: list[Step] = []
        for i, (child, part) in enumerate(parts):
            if isinstance(part, CallNode):
                goals += self._call(part)
                continue
            variables = variables or [set(variables_below(self._base, n)) for n, _ in parts]
            others = outside.union(*(v for j, v in enumerate(variables) if j != i))
            goals.append(self._goal(child, part, others, clause))
        return goals

    def _goal(self, number: int, part: Part, outside: set[int], clause: int) -> Step:
        """The goal of a negation or disjunction. ``number`` is that of its node."""
        if isinstance(part, NegationNode):
            inner = part_at(self._base, part.child)
            if isinstance(inner, CallNode):
                goals = self._call(inner)
                # There is no goal for true/0.
                return NegationStep(goals[0], part.location) if goals else self._auxiliary(number, [], set(), clause)
            return NegationStep(self._goal(part.child, inner, outside, clause), part.location)
        if isinstance(part, DisjunctionNode):
            branches = [n for n, _ in parts_of(self._base, number, DisjunctionNode)]
            return self._auxiliary(number, branches, outside, clause)
        return self._auxiliary(number, [number], outside, clause)

    def _auxiliary(self, number: int, branches: list[int], outside: set[int], clause: int) -> CallStep:
        """A call of a predicate of its own: of the variables that its clauses share with the clause around them."""
        variables = [set(variables_below(self._base, b)) for b in branches]
        shared = sorted(set().union(*variables) & outside)
        predicate = self._new("", number, None, False)
        head: list[Pattern] = [~v for v in shared]
        size = 1 + max((v for found in variables for v in found), default=-1)
        rules = [
            Rule(self.terms, head, self._conjunction(b, set(shared), clause), size, clause, b, None) for b in branches
        ]
        predicate.define(rules)
        return CallStep(self.terms, predicate, head, None)

    def _call(self, call: CallNode) -> list[Step]:
        try:
            return self._called(call)
        except OutsideFragment as error:
            error.place(call.location if self._place is None else self._place)
            raise

    def _called(self, call: CallNode) -> list[Step]:
        if call.defnode < 0:
            return self._builtin(call)
        if call.defnode not in self._by_number:
            node = self._base.node(call.defnode)
            if node is None:
                return [AbsentStep(signature_of(call), call.location)]
            if isinstance(node, ExternNode) and node.is_tensor_test:
                return [TensorTestStep(self.terms, call)]
        if str(call.functor).startswith("_nocache_"):
            raise OutsideFragment(f"{signature_of(call)} is not to be tabled")
        place = call.location if self._place is None else self._place
        predicate = self._of(call.defnode, signature_of(call), place)
        return [CallStep(self.terms, predicate, self._patterns(call.args), call.location)]

    def _builtin(self, call: CallNode) -> list[Step]:
        builtin = self._base.builtin(call.defnode)
        if builtin is None:
            raise OutsideFragment(_unspoken(signature_of(call)))
        if builtin.signature == f"{NEURAL}/5":
            self._count += 1
            return [NeuralStep(self.terms, self._neural, self._count, call)]
        if builtin.function is not None and builtin.signature == "true/0":
            return []
        if builtin.function is not None and builtin.signature in ("fail/0", "false/0"):
            predicate = self._new("", None, None, False)
            predicate.define([])
            return [CallStep(self.terms, predicate, [], None)]
        step = builtin_step(self.terms, builtin, call)
        if step is None:
            raise OutsideFragment(_unspoken(signature_of(call)))
        return [step]


def _unspoken(signature: str) -> str:
    return f"{signature} is not spoken by the tabled engine"


class _Numbered:
    """The variables of a goal as -1, -2 and so on."""

    def __init__(self) -> None:
        self.numbers: dict[object, int] = {}

    def __getitem__(self, variable: object) -> int:
        key = len(self.numbers) if variable is None else ("variable", variable)
        return self.numbers.setdefault(key, -1 - len(self.numbers))
