r"""Proofs as derivations: what a run has proved, with one node an atom and one a derivation.

A run remembers for each proof its table, its clause and its last environment. All else is found afterwards: with the
variables bound, the goals of the body are atoms, and each of these has its own node, whichever call it was proved by.

That is right where an atom has the same derivations in all tables, as it has unless a goal asks what is bound *when it
is reached*: ``var(X)``, or ``\+ p(X)`` with X bound later. So every proof is replayed: what such goals saw is a part of
what tells one derivation from another, and where two tables disagree on an atom, nothing is unfolded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from deepplp.grounding.clause_base import CallNode, ClauseBase, ConjunctionNode, NegationNode
from deepplp.grounding.tabled.bodies import Part, parts_of
from deepplp.grounding.tabled.builtins import UnificationStep
from deepplp.grounding.tabled.calls import CallStep, NegationStep
from deepplp.grounding.tabled.choices import ChooseStep, FactStep, NeuralStep
from deepplp.grounding.tabled.numbers import AssignmentStep, ComparisonStep, TensorTestStep
from deepplp.grounding.tabled.relations import Atom, Predicate, Rule, Step, Table
from deepplp.grounding.tabled.tabling import Proved, Tabling
from deepplp.grounding.tabled.terms import Environment, OutsideFragment, Pattern
from deepplp.grounding.tabled.translation import Translation
from deepplp.grounding.tabled.written import ANONYMOUS, Written
from deepplp.grounding.target import TRUE_KEY, GroundAtom, Key
from deepplp.grounding.unfolded import GroundDerivation, GroundLiteral, UnfoldedProgram
from deepplp.program import Program, Term

__all__ = ["Unfolding"]

_CHOOSING = (ChooseStep, FactStep, NeuralStep)
_DECIDED = (AssignmentStep, ComparisonStep, TensorTestStep)  # by tensors, where these stand in them
_Identity: TypeAlias = tuple[int, tuple[Pattern, ...], tuple[Atom, ...]]
"""Of a derivation: its rule, the values of the rule's variables, and what its goals saw that was not bound."""


class _Replayed(NamedTuple):
    """A proof, and the environments behind its goals."""

    proved: Proved
    environments: tuple[Environment, ...]


class Unfolding:
    """The unfolded ground program of a run, as far as goals have asked for it."""

    def __init__(self, base: ClauseBase, program: Program, translation: Translation, tabling: Tabling) -> None:
        self.target = UnfoldedProgram()
        self._base = base
        self._terms = translation.terms
        self._written = Written(base, program, translation.terms, translation.groups)
        self._tabling = tabling
        self._read = 0  # of the run's proofs
        self._derivations: dict[Atom, dict[_Identity, _Replayed]] = defaultdict(dict)
        self._tables: dict[Atom, dict[Table, set[_Identity]]] = defaultdict(lambda: defaultdict(set))
        self._predicates: dict[int, Predicate] = {}
        self._keys: dict[Atom, int] = {}
        self._waiting: list[tuple[Predicate, Atom]] = []
        self._used: dict[Atom, int] = {}  # how many derivations an atom had when they were written
        self._parts: dict[int, list[tuple[int, Part]]] = {}

    def keys(self, predicate: Predicate, answers: Iterable[tuple[int, ...]]) -> list[int]:
        """The keys of atoms of a predicate, by their arguments; what they depend on is unfolded with them."""
        self._read_proofs()
        found = [self._key(predicate, (predicate.number, *arguments)) for arguments in answers]
        while self._waiting:
            self._derive(*self._waiting.pop())
        return found

    def _read_proofs(self) -> None:
        """Replay the proofs that are new, and see that all tables agree."""
        assert self._tabling.proved is not None
        changed: dict[Atom, Predicate] = {}
        for proved in self._tabling.proved[self._read :]:
            predicate = proved.table.predicate
            atom: Atom = (predicate.number, *proved.arguments)
            changed[atom] = predicate
            replayed = self._replayed(proved)
            identity = self._identity(replayed)
            self._derivations[atom].setdefault(identity, replayed)
            self._tables[atom][proved.table].add(identity)
        self._read = len(self._tabling.proved)
        for atom, predicate in changed.items():
            count = len(self._derivations[atom])
            if self._used.get(atom, count) != count or any(len(t) != count for t in self._tables[atom].values()):
                raise self._disagreement(predicate, atom)

    def _disagreement(self, predicate: Predicate, atom: Atom) -> OutsideFragment:
        shown = str(self._written.atom(predicate, atom[1:])) if predicate.functor else "a part of a clause"
        return OutsideFragment(
            f"{shown} is proved in different ways by calls that bind different arguments of it",
            predicate.location,
        )

    def _replayed(self, proved: Proved) -> _Replayed:
        rule = proved.rule
        environment = rule.enter(proved.table.key, proved.table.variables)
        assert environment is not None
        environments = []
        for goal in rule.goals:
            goal.replay(environment, proved.environment)
            environments.append(environment.copy())
        return _Replayed(proved, tuple(environments))

    def _identity(self, replayed: _Replayed) -> _Identity:
        rule, last = replayed.proved.rule, replayed.proved.environment
        resolve, canonical = self._terms.resolve, self._terms.canonical
        bound = tuple(resolve(~v, last) for v in range(rule.variables))
        seen = []
        for goal, environment in zip(rule.goals, replayed.environments, strict=True):
            if goal.patterns and not isinstance(goal, UnificationStep):
                reached, variables = canonical([resolve(p, environment) for p in goal.patterns])
                if variables:
                    seen.append(reached)
        return id(rule), canonical(list(bound))[0], tuple(seen)

    def _key(self, predicate: Predicate, atom: Atom) -> int:
        """The key of a ground atom, which is to be derived."""
        if atom not in self._keys:
            self._keys[atom] = self.target.add_atom(self._term(predicate, atom))
            self._waiting.append((predicate, atom))
        return self._keys[atom]

    def _term(self, predicate: Predicate, atom: Atom) -> Term:
        if predicate.functor:
            return self._written.atom(predicate, atom[1:])
        assert predicate.definition is not None
        rule = predicate.rules[0]
        environment: Environment = [None] * rule.variables
        for variable, value in zip(rule.head, atom[1:], strict=True):
            assert isinstance(variable, int)
            environment[~variable] = value if isinstance(value, tuple) or value >= 0 else None
        return self._written.goal(predicate.definition, environment, rule.clause)

    def _derive(self, predicate: Predicate, atom: Atom) -> None:
        """Write the derivations of a ground atom."""
        key, term = self._keys[atom], self._term(predicate, atom)
        for replayed in self._uses(atom):
            choice = self._choice(replayed)
            for inner in self._bodies(replayed):
                derivation = self._derivation(term, replayed.proved.rule, inner, choice)
                if not derivation.is_impossible:
                    self.target.derive(key, derivation)

    def _uses(self, atom: Atom) -> list[_Replayed]:
        """The derivations of an atom, which must not become more."""
        found = self._derivations.get(atom, {})
        self._used[atom] = len(found)
        return list(found.values())

    def _bodies(self, replayed: _Replayed) -> list[_Replayed]:
        """The proofs of a clause's body: its own, or those of the annotated disjunction that it is a head of."""
        goals = replayed.proved.rule.goals
        if goals and isinstance(goals[0], CallStep) and goals[0].predicate.is_body:
            atom, variables = goals[0].atom(replayed.proved.environment)
            assert not variables
            return self._uses(atom)
        return [replayed]

    def _choice(self, replayed: _Replayed) -> tuple[bool, Key]:
        """Whether a clause depends on a choice, and the key of the value that it has to take."""
        goals = replayed.proved.rule.goals
        if not goals or not isinstance(goals[-1], _CHOOSING):
            return False, TRUE_KEY
        plain = goals[-1].step(self._tabling, replayed.proved.environment.copy())
        assert isinstance(plain, int)
        if not plain:
            return not isinstance(goals[-1], NeuralStep), TRUE_KEY
        atom = self._tabling.target.node(plain)
        assert isinstance(atom, GroundAtom)
        return True, self.target.add_choice(atom)

    def _derivation(self, head: Term, rule: Rule, inner: _Replayed, choice: tuple[bool, Key]) -> GroundDerivation:
        last = inner.proved.environment
        names = self._written.names(inner.proved.rule.clause)
        bindings = []
        for variable, name in enumerate(names[: inner.proved.rule.variables]):
            value = self._terms.resolve(~variable, last)
            if name != ANONYMOUS and (isinstance(value, tuple) or value >= 0):
                bindings.append((name, self._terms.open_term(value, names)))
        body = tuple(self._literals(inner))
        return GroundDerivation(self._written.source(rule.clause), head, tuple(bindings), body, *choice)

    def _literals(self, replayed: _Replayed) -> Iterator[GroundLiteral]:
        """The goals of a body, ``true`` left out: as each was left, but ``=``, whose variables may be bound later."""
        rule, last = replayed.proved.rule, replayed.proved.environment
        if rule.body is None:
            return
        goals = iter(zip(rule.goals, replayed.environments, strict=True))
        for number, part in self._parts_of(rule.body):
            if self._is_true(part):
                continue
            goal, environment = next(goals)
            if isinstance(goal, _CHOOSING):
                continue
            key = self._literal(goal, environment)
            shown = last if isinstance(goal, UnificationStep) else environment
            inner = part.child if isinstance(part, NegationNode) else number
            yield GroundLiteral(self._written.goal(inner, shown, rule.clause), inner == number, key)

    def _parts_of(self, body: int) -> list[tuple[int, Part]]:
        if body not in self._parts:
            self._parts[body] = parts_of(self._base, body, ConjunctionNode)
        return self._parts[body]

    def _is_true(self, part: Part) -> bool:
        """Whether a part is ``true``, which is no goal of its rule."""
        builtin = self._base.builtin(part.defnode) if isinstance(part, CallNode) and part.defnode < 0 else None
        return builtin is not None and builtin.function is not None and builtin.signature == "true/0"

    def _literal(self, goal: Step, environment: Environment) -> Key:
        """The key of a goal of a body that holds; a built-in is certain."""
        negative = False
        while isinstance(goal, NegationStep):
            goal, negative = goal.inner, not negative
        if isinstance(goal, _DECIDED):
            return self._decided(goal, environment, negative)
        if not isinstance(goal, CallStep) or goal.predicate.definition is None:
            return TRUE_KEY
        atom, variables = goal.atom(environment)
        key = self._instances(goal.predicate, atom, variables) if variables else self._key(goal.predicate, atom)
        if negative and not variables and self._tabling.ground[atom] is None and self._derivations.get(atom):
            raise self._disagreement(goal.predicate, atom)
        return -key if negative else key

    def _decided(self, goal: Step, environment: Environment, negative: bool) -> Key:
        """The key of a built-in that holds: certain, or what tensors decide."""
        plain = goal.step(self._tabling, environment.copy())
        if not isinstance(plain, int) or plain == TRUE_KEY:
            return TRUE_KEY
        atom = self._tabling.target.node(abs(plain))
        assert isinstance(atom, GroundAtom)
        key = self.target.add_choice(atom)
        return -key if (plain < 0) != negative else key

    def _instances(self, predicate: Predicate, atom: Atom, variables: int) -> int:
        """The key of a call with variables: that of any of its answers."""
        if atom not in self._keys:
            key = self._keys[atom] = self.target.add_atom(self._term(predicate, atom))
            table = self._tabling.table(predicate, atom, variables)
            assert isinstance(table, Table)
            for arguments, _ in table.solutions:
                self.target.include(key, self._key(predicate, (predicate.number, *arguments)))
        return self._keys[atom]
