"""`Program` and goals → `Formula`: run ProbLog's engine, then turn its atoms into choices."""

from __future__ import annotations

import gc
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from problog.engine import instantiate
from problog.errors import ProbLogError
from problog.eval_nodes import NegativeCycle
from problog.logic import And as Conjunction
from problog.logic import Constant, Term, Var, is_ground
from problog.logic import Or as Disjunction

from deepplp.errors import (
    DeepPLPError,
    GroundingError,
    InvalidProbabilityError,
    NonGroundError,
    Position,
    UnsupportedConstructError,
)
from deepplp.grounding.clauses import LEARNABLE
from deepplp.grounding.engine import Engine, GroundTarget, NeuralMark, is_defined, make_database
from deepplp.grounding.faults import Faults
from deepplp.grounding.formula import (
    FALSE,
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
)
from deepplp.grounding.functions import PythonFunction
from deepplp.grounding.order import standard_order_key
from deepplp.grounding.tensors import tensor_builtins
from deepplp.program import LearnableClause, Program, Source, control_faults, readable

__all__ = ["Grounder", "ground", "is_reserved"]

_SUM_TOLERANCE = 1e-6  # published networks state their distributions to six digits
_ROUNDING = 1e-12


def ground(
    program: Program,
    queries: Sequence[Term] | None = None,
    evidence: Sequence[tuple[Term, bool | None]] = (),
    *,
    allow_python: bool = False,
) -> Formula:
    """Ground queries under the program's own evidence and more: see `Grounder.ground`."""
    return Grounder(program, allow_python=allow_python).ground(queries, evidence)


def is_reserved(signature: str) -> bool:
    """Whether a predicate such as ``"member/2"`` is one of ProbLog's own; tensor functions give way to others."""
    name, _, arity = signature.rpartition("/")
    if any(name == n and int(arity) == count for n, count, _ in tensor_builtins(lambda location: None)):
        return False
    return Grounder(Program.from_string("")).is_defined(signature)


@contextmanager
def _garbage_collection_paused() -> Any:
    """The engine makes millions of small objects and hardly a cycle: looking for cycles costs a tenth of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _SuspectedNegativeCycle(Exception):  # noqa: N818 (not an error yet)
    """ProbLog met a negation on what may be a cycle."""


class Grounder:
    """A program loaded into ProbLog's engine, which grounds any number of queries.

    Making one carries out the program's directives. ``allow_python`` lets them load Python modules and data bases.
    ``functions`` are predicates that Python decides.
    """

    def __init__(
        self, program: Program, *, allow_python: bool = False, functions: Iterable[PythonFunction] = ()
    ) -> None:
        self.program = program
        self._texts = {os.path.abspath(s.name): s for s in program.sources}
        self._engine = Engine(program.declarations, allow_python, self._locate, functions)
        self._faults = Faults(self._engine, self._locate, self._signatures)
        self._database: Any = None
        self._load()
        self._unsupported = tuple(self.unsupported())

    def _load(self) -> None:
        """Load the program and carry out its directives."""
        self._engine.reset()
        with self._problog_errors(None):
            self._database = make_database(self.program, self._engine)

    def unsupported(self) -> Iterator[tuple[str, Position | None]]:
        """What the program says and deepplp does not do, such as if-then-else, unless it defines that itself."""
        own = {h.signature for s in self.program.statements for h in s.heads_and_body()[0] if isinstance(h, Term)}
        for statement in self.program.statements:
            for message, location in control_faults(statement.heads_and_body()[1], own):
                yield message, self._locate(location) or statement.position

    def ground(
        self, queries: Sequence[Term] | None = None, evidence: Sequence[tuple[Term, bool | None]] = ()
    ) -> Formula:
        """Ground queries, or the program's own ``query/1`` where none are given.

        The program's ``evidence/1,2`` always counts; ``evidence`` adds to it: True, False, or None for what a tensor
        will say row by row. The answers of one query stand in the standard order of terms, those of several queries
        in the order of the queries. A query without free variables is its own only answer, even if it cannot be
        proved; one with free variables has as many answers as it has provable instances, perhaps none.
        """
        with _garbage_collection_paused():
            try:
                return self._ground(queries, evidence)
            except _SuspectedNegativeCycle:
                self._engine.exact_negation = True
                try:
                    return self._ground(queries, evidence)
                finally:
                    self._engine.exact_negation = False

    def _ground(self, queries: Sequence[Term] | None, evidence: Sequence[tuple[Term, bool | None]]) -> Formula:
        target = GroundTarget()
        if self._engine.changed:  # by an earlier query, which must leave no trace
            self._load()
        self._engine.reset()
        for message, position in self._unsupported:
            raise UnsupportedConstructError(message, position)
        with self._problog_errors(None):
            own = self._own_evidence()
            asked = list(queries) if queries is not None else self._own_queries()
        found: dict[str, int] = {}
        unanswered: list[str] = []
        for query in asked:
            answers = self._answers(query, target)
            if not answers:
                unanswered.append(str(query))
            for term, key in answers:
                found.setdefault(str(term) if is_ground(term) else readable(term), key)
        known: dict[str, int] = {}
        observed: dict[str, int] = {}
        for term, holds in [*own, *evidence]:
            if holds is None:
                observed[str(term)] = self._observed_key(term, target)
            else:
                known.update(self._evidence_keys(term, holds, target))
        return _Extraction(target, self._database, self._locate, self.program.learnables).formula(
            found, known, observed, tuple(unanswered)
        )

    def constants(self) -> frozenset[str]:
        """The texts of all atomic terms in the program: places where an input's name may stand."""
        found: set[str] = set()
        stack: list[Any] = [s.term for s in self.program.statements]
        while stack:
            term = stack.pop()
            if not isinstance(term, Term):
                continue
            if term.arity == 0:
                found.add(str(term))
            stack.extend(term.args)
            if term.probability is not None:
                stack.append(term.probability)
        return frozenset(found)

    def is_defined(self, signature: str) -> bool:
        """Whether a predicate such as ``"member/2"`` is a built-in or has clauses, its libraries' included."""
        return is_defined(self._database, signature)

    def _own_queries(self) -> list[Term]:
        return [self._check_callable(q[0], "query") for q in self._engine.query(self._database, Term("query", None))]

    def _own_evidence(self) -> list[tuple[Term, bool]]:
        found: list[tuple[Term, bool]] = []
        for term, value in self._engine.query(self._database, Term("evidence", None, None)):
            text = readable(value)
            if text in ("true", "false"):
                found.append((self._check_callable(term, "evidence"), text == "true"))
            else:
                raise GroundingError(
                    f"evidence({readable(term)}, {text}): the second argument must be true or false",
                    self._place_of("evidence", term),
                )
        for (term,) in self._engine.query(self._database, Term("evidence", None)):
            if not isinstance(term, Term):
                self._check_callable(term, "evidence")
            negated = term.is_negated() or (term.functor in ("not", "\\+", "'\\+'") and term.arity == 1)
            atom = (-term if term.is_negated() else term.args[0]) if negated else term
            found.append((self._check_callable(atom, "evidence"), not negated))
        return found

    def _check_callable(self, term: Any, what: str) -> Term:
        if _is_atom(term):
            return term
        shown = readable(term)
        if isinstance(term, (Conjunction, Disjunction)):
            reason = f"give {shown} a name by a rule, such as p :- {shown}, and write {what}(p)"
        elif not isinstance(term, Term) or isinstance(term, Var):
            reason = "a variable is not an atom that can hold or not"
        else:
            reason = f"{shown} is not an atom that can hold or not"
        raise GroundingError(f"{what}({shown}): {reason}", self._place_of(what, term))

    def _place_of(self, what: str, term: Any) -> Position | None:
        """Where ``query(term)`` or ``evidence(term)`` stands; terms of the engine may have lost their places."""
        location = self._locate(term.location) if isinstance(term, Term) else None
        if location is not None:
            return location
        own = (s for s in self.program.statements if s.heads_and_body()[0][0].functor == what)
        wrong = (s for s in own if not _is_atom(s.heads_and_body()[0][0].args[0]))
        return next((s.position for s in wrong), None)

    def _answers(self, query: Term, target: GroundTarget) -> list[tuple[Term, Any]]:
        """The provable instances of a goal with their keys, in the standard order of terms."""
        negated = query.is_negated() or (query.functor in ("not", "\\+") and query.arity == 1)
        goal = (-query if query.is_negated() else query.args[0]) if negated else query
        with self._problog_errors(goal):
            _, results = self._engine._ground(
                self._database, goal, target, silent_fail=False, assume_prepared=True, is_root=True
            )
        keys: dict[Term, list[Any]] = defaultdict(list)
        for arguments, key in results:
            term = goal.with_args(*arguments)
            if key not in (target.TRUE, target.FALSE) and not is_ground(*arguments):
                raise NonGroundError(
                    f"the query {readable(goal)} has the answer {readable(term)}, which still holds a variable but is "
                    "not certain; bind it in the query or the program",
                    self._locate(goal.location),
                )
            keys[term].append(key)
        if negated:
            if not is_ground(goal):
                raise NonGroundError(f"the negated query {readable(query)} must be ground", self._locate(goal.location))
            proved = target.add_or(keys[goal]) if keys.get(goal) else target.FALSE
            return [(query, target.negate(proved))]
        if not keys and is_ground(goal):
            return [(goal, target.FALSE)]
        ordered = sorted(keys.items(), key=lambda item: standard_order_key(item[0]))
        return [(term, target.add_or(k) if len(k) > 1 else k[0]) for term, k in ordered]

    def _evidence_keys(self, term: Term, holds: bool, target: GroundTarget) -> list[tuple[str, Any]]:
        answers = self._answers(term, target)
        if not answers:  # no instance can be proved
            return [(str(term) if holds else f"\\+{term}", target.FALSE if holds else target.TRUE)]
        if holds:
            return [(str(t), key) for t, key in answers]
        return [(f"\\+{t}", target.negate(key)) for t, key in answers]

    def _observed_key(self, term: Term, target: GroundTarget) -> Any:
        if not is_ground(term):
            raise NonGroundError(f"the evidence {readable(term)} is a tensor, so it must be one ground atom", None)
        ((_, key),) = self._answers(term, target)
        return key

    def _locate(self, location: Any) -> Position | None:
        """Turn what ProbLog knows of a place into a position: an offset in a file, or file, line and column."""
        if location is None:
            return None
        if isinstance(location, tuple) and len(location) == 3:
            file, line, column = location
        else:
            found = self._engine.loading.lineno(location) if self._engine.loading is not None else None
            if found is None:
                return None
            file, line, column = found
        if line is None:
            return None
        source = self.program.source if file is None else self._source_of(str(file))
        if source is None or line > source.text.count("\n") + 1:
            return Position(str(file), int(line), max(1, int(column)))
        return source.at(int(line), max(1, int(column)))

    def _source_of(self, file: str) -> Source | None:
        if file not in self._texts:
            try:
                with open(file, encoding="utf-8") as handle:
                    self._texts[file] = Source(file, handle.read())
            except (OSError, UnicodeDecodeError):
                return None
        return self._texts[file]

    @contextmanager
    def _problog_errors(self, goal: Term | None) -> Any:
        """Turn ProbLog's exceptions into ours, with the user's file, line and column."""
        try:
            yield
        except DeepPLPError as error:
            self._faults.relocate(error)
            raise
        except NegativeCycle:
            raise _SuspectedNegativeCycle from None
        except Exception as error:
            raise self._faults.translate(error, goal) from error

    def _signatures(self) -> set[str]:
        database = self._database
        return {
            f"{node.functor}/{node.arity}"
            for _, node in (database.enum_nodes() if database is not None else ())
            if type(node).__name__ == "define" and not str(node.functor).startswith(("body_", "_", "query", "evidence"))
        }


class _Extraction:
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
        queries: dict[str, Any],
        evidence: dict[str, Any],
        observed: dict[str, Any],
        unanswered: tuple[str, ...],
    ) -> Formula:
        reached = self._reachable([*queries.values(), *evidence.values(), *observed.values()])
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
        agreements = [self._agreement(t, self._literal(k, literals), nodes) for t, k in observed.items()]
        return Formula(
            tuple(self._choices),
            tuple(nodes),
            tuple(Goal(t, self._literal(k, literals)) for t, k in queries.items()),
            (*(Goal(t, self._literal(k, literals)) for t, k in evidence.items()), *agreements),
            unanswered,
        )

    def _agreement(self, term: str, literal: int, nodes: list[Node]) -> Goal:
        """Evidence that an atom is what a choice of its own observes: both hold, or neither."""
        self._choices.append(Choice(("true", "false"), Observed(term)))
        seen = len(nodes) + 1
        nodes += [
            Atom(len(self._choices) - 1, 0),
            And((literal, seen)),
            And((-literal, -seen)),
            Or((seen + 1, seen + 2)),
        ]
        return Goal(f"{term} as observed", seen + 3)

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
            entries = [(atom.identifier, atom.probability, str(atom.name))]
        else:
            location, entries = self._heads(atom)
        return self._fixed_choice(entries, self._locate(location))

    def _neural_choice(self, atom: Any, mark: NeuralMark) -> tuple[int, dict[Any, int]]:
        declared = mark.declaration
        group = atom.group
        if declared.kind == "bernoulli":
            values: tuple[str, ...] = (str(declared.head), "none")
            positions = {(*group, 0): 0}
        else:
            values = tuple(str(v) for v in mark.domain)
            positions = {(*group, i): i for i in range(len(values))}
        self._choices.append(Choice(values, Neural(declared, mark.inputs), declared.position))
        return len(self._choices) - 1, positions

    def _heads(self, atom: Any) -> tuple[Any, list[tuple[Any, Any, str]]]:
        """All heads of an annotated disjunction, also those that the query never asked for."""
        group = atom.group
        if not (isinstance(group, tuple) and isinstance(group[0], int)):
            # sample_uniform and its like make atoms without a clause.
            atoms = [n for _, n, kind in self._target if kind == "atom" and n.group == group]
            return None, [(a.identifier, a.probability, str(a.identifier)) for a in atoms]
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
            name = str(instantiate(head, result))
            entries.append(((*group, node.choice), instantiate(node.probability, result), name))
        return nodes[0].location, entries

    def _learnable_choice(
        self, entries: list[tuple[Any, Any, str]], position: Position | None
    ) -> tuple[int, dict[Any, int]]:
        learnt = [p if _is_learnable(p) else None for _, p, _ in entries]
        clause = self._learnables[int(next(p for p in learnt if p is not None).args[0])]
        arguments = tuple(str(a) for p in learnt if p is not None for a in p.args[1:])
        fixed = tuple(
            None if t is not None else _probability(p, name, position)
            for t, (_, p, name) in zip(learnt, entries, strict=True)
        )
        initial = clause.distribution(fixed)
        values = [name for _, _, name in entries] + ["none"] * (len(initial) - len(entries))
        self._choices.append(Choice(tuple(values), Learnable(clause, arguments, fixed, initial), clause.position))
        return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(entries)}

    def _fixed_choice(
        self, entries: list[tuple[Any, Any, str]], position: Position | None
    ) -> tuple[int, dict[Any, int]]:
        if any(_is_learnable(p) for _, p, _ in entries):
            return self._learnable_choice(entries, position)
        if any(_is_tensor(p) for _, p, _ in entries):
            given = tuple(p if _is_tensor(p) else _probability(p, name, position) for _, p, name in entries)
            self._choices.append(Choice((*(name for _, _, name in entries), "none"), Computed(given), position))
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
        values = [name for _, _, name in entries]
        if 1 - total > (_ROUNDING if len(entries) > 1 else 0.0):
            probabilities.append(
                1.0 - probabilities[0] if len(entries) == 1 else math.fsum([1.0, *(-p for p in probabilities)])
            )
            values.append("none")
        if total == 0:
            return -1, {}
        self._choices.append(Choice(tuple(values), Fixed(tuple(probabilities)), position))
        return len(self._choices) - 1, {identifier: i for i, (identifier, _, _) in enumerate(entries)}


def _is_atom(term: Any) -> bool:
    compound = isinstance(term, (Conjunction, Disjunction)) or (isinstance(term, Term) and term.functor in (".", "[]"))
    return isinstance(term, Term) and not compound and not isinstance(term, (Constant, Var))


def _is_learnable(probability: Any) -> bool:
    return isinstance(probability, Term) and probability.functor == LEARNABLE


def _is_tensor(probability: Any) -> bool:
    return isinstance(probability, Term) and probability.functor == "tensor" and probability.arity == 1


def _probability(term: Any, name: str, position: Position | None) -> float:
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
