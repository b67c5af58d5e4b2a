"""`Program` and goals → `Formula`, by the tabled engine if that speaks all of the goals, else by ProbLog's."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from deepplp.collector import collector_paused
from deepplp.errors import GroundingError, Position, QueryError, UnsupportedConstructError
from deepplp.formula import Formula
from deepplp.grounding.aggregates import AGGREGATE_SIGNATURES
from deepplp.grounding.goals import GoalAnswers, GroundGoals
from deepplp.grounding.ground_budget import GroundBudget, GroundMeter
from deepplp.grounding.problog import (
    LoadedProgram,
    OwnGoals,
    ground_goals,
    libraries_for,
    load_program,
    own_goals,
    predefined_signatures,
)
from deepplp.grounding.python_predicates import PythonFunction
from deepplp.grounding.question import Question, atom_of, truth_value
from deepplp.grounding.tabled import Declined, TabledEngine
from deepplp.grounding.tensor_predicates import tensor_predicates
from deepplp.program import FileState, Program, Term, calls_in, parse_goal, unsupported_control

__all__ = ["Grounder", "GrounderName", "Grounding", "ground", "is_reserved", "reserved_signatures"]

GrounderName: TypeAlias = Literal["auto", "tabled", "problog"]
"""Who grounds: the tabled engine alone, ProbLog's engine alone, or the first one and, where that declines, the other.

The formulas mean the same. Where the ground program has no cycles, they are the same.
"""
Evidence: TypeAlias = Sequence[tuple[Term, bool | None]]


def ground(
    program: Program,
    query: str | Term | Sequence[str | Term] | None = None,
    *,
    evidence: Mapping[str, bool | None] | None = None,
    inputs: Collection[str] = (),
    allow_python: bool = False,
    budget: GroundBudget | None = None,
    grounder: GrounderName = "auto",
    derivations: bool = False,
) -> Formula:
    """Ground queries of a program: the first stage, from a `Program` to a `Formula`.

    ``query`` is an atom such as ``"path(a, X)"``, or several; None asks the program's own ``query/1``. ``evidence``
    adds to the program's own; None in place of a truth value stands for what a tensor will say. ``inputs`` are the
    names of tensors, so that ``T > 38.5`` of one of them is a choice. ``allow_python`` lets the program load Python
    files and data bases. ``budget`` bounds what is ground together. ``grounder`` says who
    grounds, and with ``derivations`` the formula remembers which clauses proved what: see `Grounder`.

    Raises:
        GroundingError: a goal cannot be ground, or the only ``grounder`` allowed declines it.
        ProgramSyntaxError: a query's text is no atom.
        QueryError: a query is neither a text nor a term, or there is no such ``grounder``.
        BudgetExceededError: grounding takes more than the budget.

    >>> program = Program.from_string("0.4::edge(a, b). 0.5::edge(b, c). path(X, Y) :- edge(X, Y). "
    ...                               "path(X, Y) :- edge(X, Z), path(Z, Y).")
    >>> formula = ground(program, "path(a, X)")
    >>> [goal.term for goal in formula.queries]
    [path(a,b), path(a,c)]
    >>> [choice.values[0] for choice in formula.choices]
    [edge(a,b), edge(b,c)]
    """
    if not isinstance(program, Program):
        raise QueryError(
            f"a program is ground, such as deepplp.Program.from_string(…) gives, not a {type(program).__name__}"
        )
    asked = None if query is None else _goals(query)
    if evidence is not None and not isinstance(evidence, Mapping):
        raise QueryError(f"evidence is a mapping such as {{'alarm(a)': True}}, not a {type(evidence).__name__}")
    known = [(_observed(text), _holds(text, holds)) for text, holds in (evidence or {}).items()]
    loaded = Grounder(program, allow_python=allow_python, budget=budget, grounder=grounder)
    return loaded.ground(asked, known, inputs=inputs, derivations=derivations)


def _observed(text: object) -> Term:
    if not isinstance(text, str):
        raise QueryError(f"evidence is for atoms such as 'alarm(a)', not for {text!r}")
    return parse_goal(text, "<evidence>")


def _holds(atom: str, value: object) -> bool | None:
    holds = truth_value(value)
    if holds is None and value is not None:
        raise QueryError(
            f"the evidence for {atom} must be True or False, or None for what a tensor will say, not {value!r}"
        )
    return holds


def _goals(query: str | Term | Sequence[str | Term]) -> list[Term]:
    queries = query if isinstance(query, Sequence) and not isinstance(query, str) else [query]
    for q in queries:
        if not isinstance(q, (str, Term)):
            raise QueryError(f"a query is an atom such as 'path(a, X)', as a text or a term, not {q!r}")
    return [parse_goal(q) if isinstance(q, str) else q for q in queries]


def is_reserved(signature: str) -> bool:
    """Whether a predicate such as ``"member/2"`` is one of ProbLog's own.

    Tensor functions, and aggregates that ProbLog does not have, give way to others.
    """
    name, _, arity = signature.rpartition("/")
    gives_way = (name, int(arity)) in tensor_predicates() or signature in AGGREGATE_SIGNATURES
    return not gives_way and _empty().is_defined(signature)


@functools.cache
def reserved_signatures() -> frozenset[str]:
    """The signatures of all predicates of ProbLog's own, those of libraries included, such as ``"member/2"``."""
    return frozenset(predefined_signatures())


@functools.cache
def _empty() -> LoadedProgram:
    return load_program(Program.from_string(""), GroundMeter(GroundBudget()))


@dataclass(frozen=True, slots=True)
class Grounding:
    """A formula, and the engine that ground it: ProbLog's, where the tabled one was not asked or has ``declined``."""

    formula: Formula
    engine: Literal["tabled", "problog"]
    declined: Declined | None = None


class Grounder:
    """A program that is loaded and grounds any number of queries, from several threads at once if need be.

    Making one carries out the program's directives. ``allow_python`` lets them load Python files and data bases.
    ``functions`` are predicates that Python decides. ``budget`` bounds what is ground together.

    ``grounder="auto"`` has the tabled engine ground what it speaks, and ProbLog's engine the rest. ``"problog"`` is the
    classical path, on which an answer can be checked; it takes longer. With ``"tabled"``, what that engine does not
    speak is a `GroundingError` that says what and where.

    ``called`` are signatures that goals call besides the program's: libraries that export them are loaded.
    """

    def __init__(
        self,
        program: Program,
        *,
        allow_python: bool = False,
        functions: Iterable[PythonFunction] = (),
        budget: GroundBudget | None = None,
        grounder: GrounderName = "auto",
        called: frozenset[str] = frozenset(),
    ) -> None:
        if grounder not in get_args(GrounderName):
            names = " or ".join(map(repr, get_args(GrounderName)))
            raise QueryError(f"grounder is {names}, not {grounder!r}")
        if budget is not None and not isinstance(budget, GroundBudget):
            raise QueryError(f"budget is a deepplp.GroundBudget, not a {type(budget).__name__}")
        functions = tuple(functions)
        self.program = program
        self.grounder = grounder
        self._budget = budget or GroundBudget()
        meter = GroundMeter(self._budget)
        with collector_paused():
            self._loaded = meter.watched(
                lambda: load_program(program, meter, allow_python=allow_python, functions=functions, called=called)
            )
        self._again = functools.partial(
            Grounder, program, allow_python=allow_python, functions=functions, budget=budget, grounder=grounder
        )
        self._called = called
        self._wider: dict[frozenset[str], Grounder] = {}  # for goals of libraries that the program does not call
        self._unsupported = tuple(self.unsupported())
        self._own: OwnGoals | None = None
        self._idle: list[TabledEngine] = []  # engines that nobody uses: every run has one to itself

    def unsupported(self) -> Iterator[tuple[str, Position | None]]:
        """What the program says and deepplp does not do, such as if-then-else, unless it defines that itself."""
        for message, location, position in unsupported_control(self.program):
            yield message, self._loaded.locate(location) or position

    @property
    def files(self) -> tuple[FileState, ...]:
        """The files that were read so far besides the program's texts: modules, tables, and what bodies consulted."""
        wider = [file for other in self._wider.copy().values() for file in other.files]
        return tuple(dict.fromkeys((*self._loaded.database.files, *wider)))

    def is_defined(self, signature: str) -> bool:
        """Whether a predicate such as ``"member/2"`` is a built-in or has clauses, its libraries' included."""
        return self._loaded.is_defined(signature)

    def ground(
        self,
        queries: Sequence[Term] | None = None,
        evidence: Evidence = (),
        *,
        inputs: Collection[str] = (),
        derivations: bool = False,
    ) -> Formula:
        """Ground queries, or the program's own ``query/1`` where none are given.

        The program's ``evidence/1,2`` always counts; ``evidence`` adds to it: True, False, or None for what a tensor
        will say row by row. The answers of one query stand in the standard order of terms, those of several queries
        in the order of the queries. A query without free variables is its own only answer, even if it cannot be
        proved; one with free variables has as many answers as it has provable instances, perhaps none.

        ``inputs`` are the names of tensors, whose values each row decides. With ``derivations`` the formula remembers
        which clauses proved what, as far as the tabled engine grounds it.

        Raises:
            GroundingError: a goal cannot be ground, or the only engine allowed declines it.
            BudgetExceededError: grounding takes more than the budget.
        """
        return self.trace(queries, evidence, inputs=inputs, derivations=derivations).formula

    def trace(
        self,
        queries: Sequence[Term] | None = None,
        evidence: Evidence = (),
        *,
        inputs: Collection[str] = (),
        derivations: bool = False,
    ) -> Grounding:
        """Ground queries as `ground` does, and tell who did it and why the tabled engine did not."""
        for message, position in self._unsupported:
            raise UnsupportedConstructError(message, position)
        called = self._of_libraries((*(queries or ()), *(term for term, _ in evidence)))
        if not called <= self._called:
            wider = self._wider.get(called) or self._wider.setdefault(called, self._again(called=called))
            return wider.trace(queries, evidence, inputs=inputs, derivations=derivations)
        meter = GroundMeter(self._budget)
        with collector_paused():
            return meter.watched(lambda: self._traced(queries, evidence, frozenset(inputs), derivations, meter))

    def _of_libraries(self, goals: Iterable[Term]) -> frozenset[str]:
        """What goals call that the program neither has nor calls, and that a library exports."""
        called = {signature for signature, _ in calls_in([atom_of(goal)[0] for goal in goals])}
        return frozenset(s for s in called if not self.is_defined(s) and libraries_for({s})) | self._called

    def _traced(
        self,
        queries: Sequence[Term] | None,
        evidence: Evidence,
        inputs: frozenset[str],
        derivations: bool,
        meter: GroundMeter,
    ) -> Grounding:
        question = self._question(queries, evidence, meter)
        meter.ask(question.queries)
        declined = None
        if self.grounder != "problog":
            found = self._tabled(question, inputs, derivations, meter)
            if isinstance(found, Formula):
                return Grounding(found, "tabled")
            declined = found
            if self.grounder == "tabled":
                raise GroundingError(f"the tabled engine cannot ground this: {found.reason}", found.position)
        goals = ground_goals(self._loaded, question.goals(), meter, inputs)
        formula = question.formula(goals, self.program.learnables)
        if derivations:
            formula = replace(formula, no_derivations=str(declined or "ProbLog's engine remembers no derivations"))
        return Grounding(formula, "problog", declined)

    def _question(self, queries: Sequence[Term] | None, evidence: Evidence, meter: GroundMeter) -> Question:
        if self._own is None:
            self._own = own_goals(self._loaded, meter)
        asked = self._own.queries if queries is None else tuple(queries)
        return Question(asked, (*self._own.evidence, *evidence))

    def _tabled(
        self, question: Question, inputs: frozenset[str], derivations: bool, meter: GroundMeter
    ) -> Formula | Declined:
        """The formula by the tabled engine; without derivations where it cannot tell them, which is then said."""
        engine = self._idle_engine()
        goals = self._tabled_goals(engine, question, inputs, derivations, meter)
        untold = goals if derivations and isinstance(goals, Declined) else None
        if untold is not None:
            goals = self._tabled_goals(engine, question, inputs, False, meter)
        # An engine that an exception has interrupted is not used again. One that has ground all is not at fault where
        # its answers make no formula, and is read until they do.
        try:
            formula = goals if isinstance(goals, Declined) else question.formula(goals, self.program.learnables)
        finally:
            self._idle.append(engine)
        if isinstance(formula, Declined):
            return formula
        return formula if untold is None else replace(formula, no_derivations=str(untold))

    def _idle_engine(self) -> TabledEngine:
        try:
            return self._idle.pop()
        except IndexError:  # all are in use, or there is none yet
            return TabledEngine(self._loaded.clauses, self.program, self._loaded.neural)

    def _tabled_goals(
        self, engine: TabledEngine, question: Question, inputs: frozenset[str], derivations: bool, meter: GroundMeter
    ) -> GroundGoals | Declined:
        meter.begin(self._loaded.locate)
        run = engine.new_run(meter, inputs=inputs, derivations=derivations)
        answers: list[GoalAnswers] = []
        for goal in question.goals():
            found = run.answers(goal)
            if isinstance(found, Declined):
                return found
            answers.append([*found])
        return GroundGoals(run.target, self._loaded.clauses, answers, inputs)
