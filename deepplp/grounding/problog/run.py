"""Goals ground by ProbLog's engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import count
from typing import TypeVar

from problog.engine_unify import UnifyError, substitute_simple, unify_value
from problog.eval_nodes import NegativeCycle

from deepplp.errors import NonGroundError
from deepplp.grounding.free_variables import is_closed
from deepplp.grounding.goals import GoalAnswers, GroundGoals
from deepplp.grounding.ground_budget import GroundMeter
from deepplp.grounding.problog.adapter import DatabaseClauses
from deepplp.grounding.problog.engine import Engine
from deepplp.grounding.problog.faults import translated
from deepplp.grounding.problog.loading import LoadedProgram
from deepplp.grounding.problog.target import ProblogTarget
from deepplp.grounding.problog.vocabulary import Argument
from deepplp.grounding.target import Key
from deepplp.program import Program, Term, is_ground, readable, unbound_in_heads

__all__ = ["ground_goals", "new_engine", "with_exact_negation_if_needed"]

T = TypeVar("T")
_MOST_VARIABLES = 1_000_000  # that an answer holds


def ground_goals(
    loaded: LoadedProgram, goals: Sequence[Term], meter: GroundMeter, inputs: Collection[str] = frozenset()
) -> GroundGoals:
    """Ground goals together, none of them negated; ``inputs`` are the names of tensors.

    Raises:
        GroundingError: a goal cannot be ground; the error says why and where.
        BudgetExceededError: grounding takes more than the budget.
    """
    return with_exact_negation_if_needed(lambda exact: _ground(loaded, goals, new_engine(loaded, meter, exact, inputs)))


def with_exact_negation_if_needed(work: Callable[[bool], T]) -> T:
    """The result of work with ProbLog's negation, or with an exact one where that suspects a negative cycle."""
    try:
        return work(False)
    except NegativeCycle:
        return work(True)


def new_engine(
    loaded: LoadedProgram, meter: GroundMeter, exact_negation: bool, inputs: Collection[str] = frozenset()
) -> Engine:
    """An engine for a run of its own."""
    database = loaded.database.for_run()
    meter.begin(lambda location: loaded.setting.places.position(location, database))
    setting, records = loaded.setting, loaded.records
    return Engine(setting, database, meter, exact_negation=exact_negation, records=records, inputs=inputs)


def _ground(loaded: LoadedProgram, goals: Sequence[Term], engine: Engine) -> GroundGoals:
    target = ProblogTarget()
    answers = [_answers(engine, goal, target, loaded.program) for goal in goals]
    return GroundGoals(target, DatabaseClauses(engine.database, loaded.setting), answers, engine.inputs)


def _answers(engine: Engine, goal: Term, target: ProblogTarget, program: Program) -> GoalAnswers:
    with translated(engine, goal):
        _, found = engine._ground(engine.database, goal, target, silent_fail=False, assume_prepared=True, is_root=True)
        results = _instances(goal, found)
    for arguments, key in results:
        if key not in (target.TRUE, target.FALSE) and not is_closed(goal, arguments):
            left = unbound_in_heads(program, goal.signature)
            raise NonGroundError(
                f"the query {readable(goal)} has the answer {readable(goal.with_args(*arguments))}, which still holds "
                "a variable but is not certain; "
                + (left[0] if left is not None else "bind it in the query or the program"),
                left[1] if left is not None else engine.locate(goal.location),
            )
    return results


def _instances(goal: Term, found: Sequence[tuple[Sequence[Argument], Key]]) -> GoalAnswers:
    """The answers of a goal; those that hold variables as instances of it.

    ProbLog forgets that a variable of the goal may occur twice: ``p(X, a)`` would answer ``p(X, X)`` by ``p(_, a)``.
    """
    answers: GoalAnswers = []
    for arguments, key in found:
        if is_ground(*arguments):
            answers.append((tuple(arguments), key))
            continue
        names, bound = _Renamed(), _Bound()
        try:
            unified = [
                unify_value(a, substitute_simple(g, names), bound) for a, g in zip(arguments, goal.args, strict=True)
            ]
        except UnifyError:
            continue
        answers.append((tuple(map(bound.resolved, unified)), key))
    return answers


class _Renamed:
    """The variables of a goal as numbers that no answer has; anonymous ones are all different."""

    def __init__(self) -> None:
        self._count = count(-_MOST_VARIABLES, -1)
        self._numbers: dict[str | int, int] = {}

    def __getitem__(self, variable: str | int | None) -> int:
        if variable is None or variable == "_":
            return next(self._count)
        if variable not in self._numbers:
            self._numbers[variable] = next(self._count)
        return self._numbers[variable]


class _Bound(dict[int, Argument]):
    """What unification has bound variables to; others are themselves."""

    def __missing__(self, variable: int) -> int:
        return variable

    def resolved(self, term: Argument) -> Argument:
        """A term with all that its variables are bound to, in the end."""
        while True:
            earlier, term = term, substitute_simple(term, self)
            if term == earlier:
                return term
