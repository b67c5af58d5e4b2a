"""What the engines have ground, as a `Formula`: its atoms grouped into choices."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeAlias, TypeGuard

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
    Reason,
    Value,
)
from deepplp.grounding.clause_base import LEARNABLE, ClauseBase, ClauseTerm, FactNode, Location
from deepplp.grounding.target import (
    GroundAnd,
    GroundAtom,
    GroundNode,
    GroundProgram,
    Key,
    NeuralMark,
    Probability,
    TensorMark,
)
from deepplp.grounding.tensor_arithmetic import is_tensor
from deepplp.grounding.unfolded import UnfoldedProgram
from deepplp.program import LearnableClause, Term, as_float, named, number_of

__all__ = ["Extraction"]

_SUM_TOLERANCE = 1e-6  # published networks state their distributions to six digits
_ROUNDING = 1e-12

_Values: TypeAlias = tuple[int, dict[Hashable, int]]
"""The number of a choice, and that of the value of each of its atoms, by their identifiers."""


class _Head(NamedTuple):
    """A value of a choice as the program states it."""

    identifier: Hashable
    probability: Probability
    name: Term


class Extraction:
    """Read a `Formula` off a ground program: only what the goals reach, with atoms grouped into choices.

    ``inputs`` are the names of tensors, which may be probabilities.
    """

    def __init__(
        self,
        program: GroundProgram,
        base: ClauseBase,
        learnables: tuple[LearnableClause, ...],
        inputs: Collection[str] = frozenset(),
    ) -> None:
        self._learnables = learnables
        self._inputs = inputs
        self._program = program
        self._base = base
        self._choices: list[Choice] = []
        self._groups: dict[Hashable, _Values] = {}

    def formula(
        self,
        queries: Sequence[tuple[Term, Key]],
        evidence: Sequence[tuple[Term, Key]],
        observed: Sequence[tuple[Term, Key]],
        unanswered: tuple[Term, ...],
    ) -> Formula:
        """The formula of goals by their keys; its choices and nodes stand as the goals reach them.

        Raises:
            InvalidProbabilityError: a probability is missing, no number or out of range, or several sum to over 1.
        """
        reached = self._reachable([key for _, key in (*queries, *evidence, *observed)])
        nodes: list[Node] = [And(())]
        literals: dict[int, int] = {}
        compounds: list[tuple[int, GroundNode]] = []
        for key, node in reached.items():
            if isinstance(node, GroundAtom):
                literals[key] = self._atom_literal(node, nodes)
            else:
                compounds.append((len(nodes), node))
                literals[key] = len(nodes) + 1
                nodes.append(Or(()))
        for index, node in compounds:
            assert not isinstance(node, GroundAtom)
            children = [self._literal(c, literals) for c in node.children]
            if isinstance(self._program, UnfoldedProgram):  # a derivation without what is certain
                children = [c for c in children if c != TRUE]
            nodes[index] = And(tuple(children)) if isinstance(node, GroundAnd) else Or(tuple(children))
        reasons = self._reasons(reached, literals, len(nodes))
        agreements = [self._agreement(t, self._literal(k, literals), nodes) for t, k in observed]
        return Formula(
            tuple(self._choices),
            tuple(nodes),
            tuple(Goal(t, self._literal(k, literals)) for t, k in queries),
            (*(Goal(t, self._literal(k, literals)) for t, k in evidence), *agreements),
            unanswered,
            None if reasons is None else (*reasons, *[None] * (len(nodes) - len(reasons))),
        )

    def _reasons(self, reached: Iterable[int], literals: dict[int, int], count: int) -> list[Reason] | None:
        """Why each of the nodes holds, where the ground program remembers."""
        if not isinstance(self._program, UnfoldedProgram):
            return None
        found: list[Reason] = [None] * count
        for key in reached:
            if literals[key] > TRUE:  # certain choices have no node
                found[literals[key] - 1] = self._program.reason(key, lambda k: self._literal(k, literals))
        return found

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

    def _reachable(self, roots: Iterable[Key]) -> dict[int, GroundNode]:
        """The nodes that the roots reach, in depth-first order."""
        seen: dict[int, GroundNode] = {}
        stack = [abs(r) for r in roots if r]
        stack.reverse()
        while stack:
            key = stack.pop()
            if key in seen:
                continue
            node = seen[key] = self._program.node(key)
            if not isinstance(node, GroundAtom):
                stack.extend([abs(c) for c in reversed(node.children) if c])
        return seen

    @staticmethod
    def _literal(key: Key, literals: dict[int, int]) -> int:
        if key is None:
            return FALSE
        if key == 0:
            return TRUE
        literal = literals[abs(key)]
        return literal if key > 0 else -literal

    def _atom_literal(self, atom: GroundAtom, nodes: list[Node]) -> int:
        group: Hashable = atom.group if atom.group is not None else ("fact", atom.identifier)
        if group not in self._groups:
            self._groups[group] = self._new_choice(atom)
        choice, values = self._groups[group]
        if atom.identifier not in values:  # groups of ProbLog's own built-ins list their atoms as they come
            raise GroundingError(f"the value {atom.name} was not foreseen in its annotated disjunction")
        nodes.append(Atom(choice, values[atom.identifier]))
        return len(nodes)

    def _new_choice(self, atom: GroundAtom) -> _Values:
        mark = atom.probability
        if isinstance(mark, NeuralMark):
            return self._neural_choice(atom.group, mark)
        if isinstance(mark, TensorMark):
            stated = tuple(p for p in mark.probabilities if isinstance(p, float))
            origin = Fixed(stated) if stated else Computed(mark.probabilities)
            self._choices.append(Choice((mark.name, NONE), origin, self._base.locate(mark.location)))
            return len(self._choices) - 1, {atom.identifier: 0}
        if atom.group is None:
            fact = self._base.node(atom.identifier) if isinstance(atom.identifier, int) else None
            location = fact.location if isinstance(fact, FactNode) else None
            heads = [_Head(atom.identifier, mark, atom.name)]
        else:
            location, heads = self._heads(atom.group)
        return self._fixed_choice(heads, self._base.locate(location))

    def _neural_choice(self, group: Hashable, mark: NeuralMark) -> _Values:
        assert isinstance(group, tuple)
        declared = mark.declaration
        positions: dict[Hashable, int]
        if declared.kind == "bernoulli":
            values: tuple[Value, ...] = (declared.head, NONE)
            positions = {(*group, 0): 0}
        elif mark.label is not None:
            values = (mark.domain[mark.label], NONE)
            positions = {(*group, 0): 0}
        else:
            values = mark.domain
            positions = {(*group, i): i for i in range(len(values))}
        labels = 0 if mark.label is None else len(mark.domain)
        self._choices.append(Choice(values, Neural(declared, mark.inputs, mark.label, labels), declared.position))
        return len(self._choices) - 1, positions

    def _heads(self, group: Hashable) -> tuple[Location, list[_Head]]:
        """All heads of an annotated disjunction, also those that the query never asked for."""
        if not (isinstance(group, tuple) and isinstance(group[0], int)):
            # sample_uniform and its like make atoms without a clause.
            atoms = (a for a in self._program.atoms() if a.group == group)
            return None, [_Head(a.identifier, a.probability, _sampled(a.identifier)) for a in atoms]
        nodes = self._base.choices(group[0])
        arguments: Sequence[Term] = group[1]
        heads = [
            _Head((*group, n.choice), _instance(n.probability, arguments), named(_instance(n.head, arguments)))
            for n in nodes
        ]
        return nodes[0].location, heads

    def _learnable_choice(self, heads: list[_Head], position: Position | None) -> _Values:
        learnt = [p if _is_learnable(p) else None for _, p, _ in heads]
        clause = self._learnables[int(next(p for p in learnt if p is not None).args[0])]
        arguments = tuple(named(a) for p in learnt if p is not None for a in p.args[1:])
        fixed = tuple(
            None if t is not None else _probability(p, name, position)
            for t, (_, p, name) in zip(learnt, heads, strict=True)
        )
        initial = clause.distribution(fixed)
        values: list[Value] = [name for _, _, name in heads]
        values += [NONE] * (len(initial) - len(heads))
        self._choices.append(Choice(tuple(values), Learnable(clause, arguments, fixed, initial), clause.position))
        return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(heads)}

    def _fixed_choice(self, heads: list[_Head], position: Position | None) -> _Values:
        if any(_is_learnable(p) for _, p, _ in heads):
            return self._learnable_choice(heads, position)
        if any(is_tensor(p, self._inputs) for _, p, _ in heads):
            given = tuple(
                p if isinstance(p, Term) and is_tensor(p, self._inputs) else _probability(p, name, position)
                for _, p, name in heads
            )
            self._choices.append(Choice((*(name for _, _, name in heads), NONE), Computed(given), position))
            return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(heads)}
        probabilities = [_probability(p, name, position) for _, p, name in heads]
        total = math.fsum(probabilities)
        if total > 1 + _SUM_TOLERANCE:
            raise InvalidProbabilityError(
                f"the probabilities of this annotated disjunction sum to {total:.12g}, which is more than 1", position
            )
        values: list[Value] = [name for _, _, name in heads]
        if len(heads) == 1 or 1 - total > _ROUNDING:  # a fact of probability 0 or 1 is a choice like any other
            probabilities.append(math.fsum([1.0, *(-p for p in probabilities)]))
            values.append(NONE)
        self._choices.append(Choice(tuple(values), Fixed(tuple(probabilities)), position))
        return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(heads)}


def _instance(term: ClauseTerm | None, arguments: Sequence[Term]) -> Term | None:
    """A term of a choice with its arguments in place of its variables."""
    if isinstance(term, int):
        return arguments[term]
    return term if term is None or not term.args else term.apply(arguments)


def _sampled(identifier: Hashable) -> Term:
    """A value of a choice without a clause, such as sample_uniform1/3 makes."""
    assert isinstance(identifier, tuple)
    return Term("value", *(part if isinstance(part, Term) else Term(f"'{part}'") for part in identifier))


def _is_learnable(probability: Probability) -> TypeGuard[Term]:
    return isinstance(probability, Term) and probability.functor == LEARNABLE


def _probability(term: Probability, name: Term, position: Position | None) -> float:
    if term is None:
        raise InvalidProbabilityError(
            f"{name} has no probability; every head of an annotated disjunction needs one", position
        )
    try:
        if isinstance(term, (NeuralMark, TensorMark)):
            raise ValueError("tensors decide it")
        value = as_float(number_of(term) if isinstance(term, Term) else term)
    except ValueError:
        learnt = "; a learnable probability is t(0.5), or t(_)" if str(term) in ("t", "_") else ""
        raise InvalidProbabilityError(f"the probability {term} of {name} is not a number{learnt}", position) from None
    if not 0.0 <= value <= 1.0:
        raise InvalidProbabilityError(f"the probability {value:.12g} of {name} is not between 0 and 1", position)
    return value
