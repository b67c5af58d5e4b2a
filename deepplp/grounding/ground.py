"""`Program` and goals → `Formula`, by tabled evaluation if that knows all of the goals, else by ProbLog's engine."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from problog.eval_nodes import NegativeCycle
from problog.logic import And as Conjunction
from problog.logic import Constant, Term, Var, is_ground
from problog.logic import Or as Disjunction

from deepplp.errors import DeepPLPError, GroundingError, NonGroundError, Position, UnsupportedConstructError
from deepplp.formula import Formula
from deepplp.grounding.extraction import Extraction
from deepplp.grounding.ground_budget import GroundBudget, GroundMeter
from deepplp.grounding.problog.engine import Engine, GroundTarget, is_defined, make_database
from deepplp.grounding.problog.faults import Faults
from deepplp.grounding.python_predicates import PythonFunction
from deepplp.grounding.tabled.tabling import Run
from deepplp.grounding.tabled.terms import OutsideFragment
from deepplp.grounding.tabled.translation import Translation
from deepplp.grounding.tensor_predicates import tensor_builtins
from deepplp.program import Program, Text, control_faults, named, readable, standard_order_key

__all__ = ["Grounder", "ground", "is_reserved"]

_MOST_TERMS = 1_000_000  # of earlier queries, which are then forgotten


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
    """A program that is loaded and grounds any number of queries.

    Making one carries out the program's directives. ``allow_python`` lets them load Python modules and data bases.
    ``functions`` are predicates that Python decides. ``budget`` bounds what is ground together. With
    ``tabled=False`` ProbLog's engine grounds all of it, which takes longer and means the same. ``was_tabled`` says
    whether the last formula was made without ProbLog's engine.
    """

    def __init__(
        self,
        program: Program,
        *,
        allow_python: bool = False,
        functions: Iterable[PythonFunction] = (),
        budget: GroundBudget | None = None,
        tabled: bool = True,
    ) -> None:
        self.program = program
        self._texts = {os.path.abspath(s.name): s for s in program.texts}
        self._engine = Engine(program.declarations, allow_python, self._locate, functions)
        self._faults = Faults(self._engine, self._locate, self._signatures)
        self._database: Any = None
        self._budget = budget or GroundBudget()
        self._tries = (("tabled",) if tabled else ()) + ("problog", "exact negation")
        self.was_tabled = False
        self._translation: Translation | None = None
        self._run: Run | None = None
        self._load()
        self._unsupported = tuple(self.unsupported())

    def _load(self) -> None:
        """Load the program and carry out its directives."""
        self._engine.reset()
        with self._problog_errors(None), _garbage_collection_paused():
            self._database = make_database(self.program, self._engine)
        self._translation = None

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
            for engine in self._tries:
                self._engine.exact_negation = engine == "exact negation"
                self.was_tabled = engine == "tabled"
                try:
                    return self._ground(queries, evidence, self.was_tabled)
                except OutsideFragment:
                    continue
                except _SuspectedNegativeCycle:
                    if self._engine.exact_negation:
                        raise
                finally:
                    self._engine.exact_negation = False
                    self._run = None
            raise AssertionError("ProbLog's engine leaves no query to another one")

    def _ground(
        self, queries: Sequence[Term] | None, evidence: Sequence[tuple[Term, bool | None]], tabled: bool
    ) -> Formula:
        target = GroundTarget()
        self._engine.meter = GroundMeter(self._budget, self._locate)
        if self._engine.changed:  # by an earlier query, which must leave no trace
            self._load()
        self._engine.reset()
        for message, position in self._unsupported:
            raise UnsupportedConstructError(message, position)
        self._run = self._new_run(target) if tabled else None
        with self._problog_errors(None):
            own = self._own_evidence()
            asked = list(queries) if queries is not None else self._own_queries()
        found: dict[str, tuple[Term, int]] = {}
        unanswered: list[Term] = []
        for query in asked:
            answers = self._answers(query, target)
            if not answers:
                unanswered.append(query)
            for term, key in answers:
                shown = named(term)
                found.setdefault(str(shown), (shown, key))
        known: dict[str, tuple[Term, int]] = {}
        observed: dict[str, tuple[Term, int]] = {}
        for term, holds in [*own, *evidence]:
            if holds is None:
                observed[str(term)] = term, self._observed_key(term, target)
            else:
                known.update((str(t), (t, key)) for t, key in self._evidence_keys(term, holds, target))
        goals = (tuple(found.values()), tuple(known.values()), tuple(observed.values()))
        extraction = Extraction(target, self._database, self._locate, self.program.learnables)
        return extraction.formula(*goals, tuple(unanswered))

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
        if self._run is not None:
            with self._problog_errors(goal):
                results = self._tabled(goal, self._run)
        else:
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

    def _new_run(self, target: GroundTarget) -> Run:
        """Tables for goals that are ground together."""
        if self._translation is None or len(self._translation.terms) > _MOST_TERMS:
            self._translation = Translation(self._database, self._engine)
        assert self._engine.meter is not None
        return Run(self._translation.terms, target, self._check, self._engine.meter.look)

    def _tabled(self, goal: Term, run: Run) -> list[tuple[list[Term], Any]]:
        """The answers of a goal, as arguments and ground nodes."""
        assert self._translation is not None
        try:
            found = run.solve(*self._translation.call(goal))
        except RecursionError:  # a term too deep to be taken apart: ProbLog's engine has what it says of those
            raise OutsideFragment from None
        term = run.terms.term
        return [([term(a) for a in arguments], node) for arguments, node in found]

    def _check(self, table: Any, waiting: int, location: Any) -> None:
        """A call of tabled evaluation: see `Run`."""
        predicate = table.predicate
        assert self._engine.meter is not None
        self._engine.meter.spend(predicate.functor, len(table.key) - 1, predicate.location)
        self._engine.check_open(waiting, location)
        self._engine.check_answers(len(table.listed), predicate.location)

    def _evidence_keys(self, term: Term, holds: bool, target: GroundTarget) -> list[tuple[Term, Any]]:
        answers = self._answers(term, target)
        if not answers:  # no instance can be proved
            return [(term if holds else -term, target.FALSE if holds else target.TRUE)]
        if holds:
            return answers
        return [(-t, target.negate(key)) for t, key in answers]

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
        text = self.program.text if file is None else self._text_of(str(file))
        if text is None or line > text.lines:
            return Position(str(file), int(line), max(1, int(column)))
        return text.at(int(line), max(1, int(column)))

    def _text_of(self, file: str) -> Text | None:
        if file not in self._texts:
            try:
                with open(file, encoding="utf-8") as handle:
                    self._texts[file] = Text(file, handle.read())
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
        except OutsideFragment:
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


def _is_atom(term: Any) -> bool:
    compound = isinstance(term, (Conjunction, Disjunction)) or (isinstance(term, Term) and term.functor in (".", "[]"))
    return isinstance(term, Term) and not compound and not isinstance(term, (Constant, Var))
