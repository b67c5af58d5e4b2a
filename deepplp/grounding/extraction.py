"""What the engines have ground, as a `Formula`: its atoms grouped into choices."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from problog.engine import instantiate
from problog.errors import ProbLogError

from deepplp.errors import GroundingError, InvalidProbabilityError, Position
from deepplp.formula import (
    FALSE,
    NONE,
    TRUE,
    And,
    Atom,
    Choice,
    Computed,
    Fixed,
    Formula,
    Goal,
    Learnable,
    Neural,
    Node,
    Observed,
    Or,
    Value,
)
from deepplp.grounding.problog.clauses import LEARNABLE
from deepplp.grounding.problog.engine import GroundTarget, NeuralMark
from deepplp.program import LearnableClause, Term, named

__all__ = ["Extraction"]

_SUM_TOLERANCE = 1e-6  # published networks state their distributions to six digits
_ROUNDING = 1e-12

_Head = tuple[Any, Any, Term]  # what identifies its atom, its probability, and itself


class Extraction:
    """Read a `Formula` off the engine's target: only what the goals reach, with atoms grouped into choices."""

    def __init__(
        self, target: GroundTarget, database: Any, locate: Any, learnables: tuple[LearnableClause, ...]
    ) -> None:
        self._learnables = learnables
        self._target = target
        self._database = database
        self._locate = locate
        self._choices: list[Choice] = []
        self._groups: dict[Any, tuple[int, dict[Any, int]]] = {}  # group -> choice, identifier -> value
        self._siblings: dict[int, list[Any]] | None = None

    def formula(
        self,
        queries: Sequence[tuple[Term, Any]],
        evidence: Sequence[tuple[Term, Any]],
        observed: Sequence[tuple[Term, Any]],
        unanswered: tuple[Term, ...],
    ) -> Formula:
        """The formula of goals by their keys in the target; its choices and nodes stand as the goals reach them."""
        reached = self._reachable([key for _, key in (*queries, *evidence, *observed)])
        nodes: list[Node] = [And(())]
        literals: dict[int, int] = {}
        compounds: list[tuple[int, Any]] = []
        for key in reached:
            node = self._target.get_node(key)
            if type(node).__name__ == "atom":
                literals[key] = self._atom_literal(node, nodes)
            else:
                compounds.append((len(nodes), node))
                literals[key] = len(nodes) + 1
                nodes.append(Or(()))
        for index, node in compounds:
            children = tuple(self._literal(c, literals) for c in node.children)
            nodes[index] = And(children) if type(node).__name__ == "conj" else Or(children)
        agreements = [self._agreement(t, self._literal(k, literals), nodes) for t, k in observed]
        return Formula(
            tuple(self._choices),
            tuple(nodes),
            tuple(Goal(t, self._literal(k, literals)) for t, k in queries),
            (*(Goal(t, self._literal(k, literals)) for t, k in evidence), *agreements),
            unanswered,
        )

    def _agreement(self, term: Term, literal: int, nodes: list[Node]) -> Goal:
        """Evidence that an atom is what a choice of its own observes: both hold, or neither."""
        self._choices.append(Choice((Term("true"), Term("false")), Observed(term)))
        seen = len(nodes) + 1
        nodes += [
            Atom(len(self._choices) - 1, 0),
            And((literal, seen)),
            And((-literal, -seen)),
            Or((seen + 1, seen + 2)),
        ]
        return Goal(term, seen + 3, observed=True)

    def _reachable(self, roots: Iterable[Any]) -> list[int]:
        seen: dict[int, None] = {}
        stack = [abs(r) for r in roots if r]
        stack.reverse()
        while stack:
            key = stack.pop()
            if key in seen:
                continue
            seen[key] = None
            node = self._target.get_node(key)
            if type(node).__name__ != "atom":
                stack.extend(abs(c) for c in reversed(node.children) if c)
        return list(seen)

    @staticmethod
    def _literal(key: Any, literals: dict[int, int]) -> int:
        if key is None:
            return FALSE
        if key == 0:
            return TRUE
        literal = literals[abs(key)]
        return literal if key > 0 else -literal

    def _atom_literal(self, atom: Any, nodes: list[Node]) -> int:
        group = atom.group if atom.group is not None else ("fact", atom.identifier)
        if group not in self._groups:
            self._groups[group] = self._new_choice(atom)
        choice, values = self._groups[group]
        if choice < 0:  # a certain or impossible fact is no choice
            return TRUE if values.get(atom.identifier) else FALSE
        if atom.identifier not in values:  # groups of ProbLog's own built-ins list their atoms as they come
            raise GroundingError(f"the value {atom.name} was not foreseen in its annotated disjunction")
        nodes.append(Atom(choice, values[atom.identifier]))
        return len(nodes)

    def _new_choice(self, atom: Any) -> tuple[int, dict[Any, int]]:
        mark = atom.probability
        if isinstance(mark, NeuralMark):
            return self._neural_choice(atom, mark)
        if atom.group is None:
            location = self._database.get_node(atom.identifier).location if isinstance(atom.identifier, int) else None
            entries = [(atom.identifier, atom.probability, atom.name)]
        else:
            location, entries = self._heads(atom)
        return self._fixed_choice(entries, self._locate(location))

    def _neural_choice(self, atom: Any, mark: NeuralMark) -> tuple[int, dict[Any, int]]:
        declared = mark.declaration
        group = atom.group
        if declared.kind == "bernoulli":
            values: tuple[Value, ...] = (declared.head, NONE)
            positions = {(*group, 0): 0}
        else:
            values = mark.domain
            positions = {(*group, i): i for i in range(len(values))}
        self._choices.append(Choice(values, Neural(declared, mark.inputs), declared.position))
        return len(self._choices) - 1, positions

    def _heads(self, atom: Any) -> tuple[Any, list[_Head]]:
        """All heads of an annotated disjunction, also those that the query never asked for."""
        group = atom.group
        if not (isinstance(group, tuple) and isinstance(group[0], int)):
            # sample_uniform and its like make atoms without a clause.
            atoms = [n for _, n, kind in self._target if kind == "atom" and n.group == group]
            return None, [(a.identifier, a.probability, _sampled(a.identifier)) for a in atoms]
        if self._siblings is None or group[0] not in self._siblings:
            self._siblings = defaultdict(list)
            for _, node in self._database.enum_nodes():
                if type(node).__name__ == "choice":
                    self._siblings[node.group].append(node)
        nodes = self._siblings[group[0]]
        result = group[1]
        entries = []
        for node in nodes:
            head = node.functor.args[2] if node.functor.arity > 2 else node.functor
            name = named(instantiate(head, result))
            entries.append(((*group, node.choice), instantiate(node.probability, result), name))
        return nodes[0].location, entries

    def _learnable_choice(self, entries: list[_Head], position: Position | None) -> tuple[int, dict[Any, int]]:
        learnt = [p if _is_learnable(p) else None for _, p, _ in entries]
        clause = self._learnables[int(next(p for p in learnt if p is not None).args[0])]
        arguments = tuple(named(a) for p in learnt if p is not None for a in p.args[1:])
        fixed = tuple(
            None if t is not None else _probability(p, name, position)
            for t, (_, p, name) in zip(learnt, entries, strict=True)
        )
        initial = clause.distribution(fixed)
        values: list[Value] = [name for _, _, name in entries]
        values += [NONE] * (len(initial) - len(entries))
        self._choices.append(Choice(tuple(values), Learnable(clause, arguments, fixed, initial), clause.position))
        return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(entries)}

    def _fixed_choice(self, entries: list[_Head], position: Position | None) -> tuple[int, dict[Any, int]]:
        if any(_is_learnable(p) for _, p, _ in entries):
            return self._learnable_choice(entries, position)
        if any(_is_tensor(p) for _, p, _ in entries):
            given = tuple(p if _is_tensor(p) else _probability(p, name, position) for _, p, name in entries)
            self._choices.append(Choice((*(name for _, _, name in entries), NONE), Computed(given), position))
            return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(entries)}
        probabilities = [_probability(p, name, position) for _, p, name in entries]
        total = math.fsum(probabilities)
        if total > 1 + _SUM_TOLERANCE:
            raise InvalidProbabilityError(
                f"the probabilities of this annotated disjunction sum to {total:.12g}, which is more than 1", position
            )
        for (identifier, _, _), p in zip(entries, probabilities, strict=True):
            if p == 1.0 and total <= 1.0:
                return -1, {identifier: 1}
        values: list[Value] = [name for _, _, name in entries]
        if 1 - total > (_ROUNDING if len(entries) > 1 else 0.0):
            probabilities.append(
                1.0 - probabilities[0] if len(entries) == 1 else math.fsum([1.0, *(-p for p in probabilities)])
            )
            values.append(NONE)
        if total == 0:
            return -1, {}
        self._choices.append(Choice(tuple(values), Fixed(tuple(probabilities)), position))
        return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(entries)}


def _sampled(identifier: tuple[Any, ...]) -> Term:
    """A value of a choice without a clause, such as sample_uniform1/3 makes."""
    return Term("value", *(part if isinstance(part, Term) else Term(f"'{part}'") for part in identifier))


def _is_learnable(probability: Any) -> bool:
    return isinstance(probability, Term) and probability.functor == LEARNABLE


def _is_tensor(probability: Any) -> bool:
    return isinstance(probability, Term) and probability.functor == "tensor" and probability.arity == 1


def _probability(term: Any, name: Term, position: Position | None) -> float:
    if term is None:
        raise InvalidProbabilityError(
            f"{name} has no probability; every head of an annotated disjunction needs one", position
        )
    try:
        value = float(term.compute_value() if isinstance(term, Term) else term)
    except (ProbLogError, TypeError, ValueError, ZeroDivisionError):
        raise InvalidProbabilityError(f"the probability {term} of {name} is not a number", position) from None
    if not 0.0 <= value <= 1.0:
        raise InvalidProbabilityError(f"the probability {value:.12g} of {name} is not between 0 and 1", position)
    return value
