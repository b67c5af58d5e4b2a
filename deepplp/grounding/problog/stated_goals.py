"""What a program asks itself: its ``query/1`` and its ``evidence/1`` and ``evidence/2``."""

from __future__ import annotations

from dataclasses import dataclass

from deepplp.errors import GroundingError, Position
from deepplp.grounding.ground_budget import GroundMeter
from deepplp.grounding.problog.engine import Engine
from deepplp.grounding.problog.faults import translated
from deepplp.grounding.problog.loading import LoadedProgram
from deepplp.grounding.problog.run import new_engine, with_exact_negation_if_needed
from deepplp.grounding.problog.target import ProblogTarget
from deepplp.grounding.question import atom_of, goal_fault, truth_fault
from deepplp.program import Program, Term, Var, readable

__all__ = ["OwnGoals", "own_goals"]


@dataclass(frozen=True, slots=True)
class OwnGoals:
    """The goals that a program asks for, and those that it observes, with what it says of them."""

    queries: tuple[Term, ...]
    evidence: tuple[tuple[Term, bool], ...]


def own_goals(loaded: LoadedProgram, meter: GroundMeter) -> OwnGoals:
    """What a program asks itself, by rules as well as by facts.

    Raises:
        GroundingError: a query or evidence is no atom, or a rule for one fails.
    """
    return with_exact_negation_if_needed(lambda exact: _own_goals(loaded.program, new_engine(loaded, meter, exact)))


def _own_goals(program: Program, engine: Engine) -> OwnGoals:
    with translated(engine, None):
        evidence = _own_evidence(program, engine)
        queries = [_checked(q[0], "query", program, engine) for q in _solutions(engine, Term("query", None))]
    return OwnGoals(tuple(queries), tuple(evidence))


def _solutions(engine: Engine, goal: Term) -> list[list[Term]]:
    found: list[list[Term]] = engine.query(engine.database, goal)
    return found


def _certain(engine: Engine, goal: Term, program: Program) -> list[list[Term]]:
    """The arguments with which evidence is stated; a rule for it whose body is not certain is an error.

    Evidence is what is known. What is known in some worlds alone would be conditioned on in all of them.
    """
    target = ProblogTarget()
    _, results = engine._ground(engine.database, goal, target, assume_prepared=True)
    for arguments, key in results:
        if key != target.TRUE:
            shown = ", ".join(map(readable, arguments))
            rule = _rule_of("evidence", arguments[0], program)
            raise GroundingError(
                f"evidence({shown}) is stated by a rule whose body holds in some worlds alone; evidence is what is "
                "known: write a rule for an atom of its own, p :- body, and say evidence(p)",
                rule,
            )
    return [list(arguments) for arguments, _ in results]


def _rule_of(what: str, term: object, program: Program) -> Position | None:
    """Where a rule for ``query(term)`` or ``evidence(term)`` stands."""
    for statement in program.statements:
        heads, body = statement.heads_and_body()
        if heads[0].functor == what and body is not None and heads[0].args:
            stated = heads[0].args[0]
            if not isinstance(stated, Term) or isinstance(stated, Var) or not isinstance(term, Term):
                return statement.position
            if stated.signature == term.signature:
                return statement.position
    return None


def _own_evidence(program: Program, engine: Engine) -> list[tuple[Term, bool]]:
    found: list[tuple[Term, bool]] = []
    for term, value in _certain(engine, Term("evidence", None, None), program):
        reason = truth_fault(term, value)
        if reason is not None:
            raise GroundingError(reason, _place_of("evidence", term, program, engine))
        found.append((_checked(term, "evidence", program, engine), readable(value) == "true"))
    for (term,) in _certain(engine, Term("evidence", None), program):
        atom, negated = atom_of(_checked(term, "evidence", program, engine))
        found.append((atom, not negated))
    return found


def _checked(term: object, what: str, program: Program, engine: Engine) -> Term:
    """A term, which must be an atom that can hold or not."""
    reason = goal_fault(term, what)
    if reason is None and isinstance(term, Term):
        return term
    raise GroundingError(f"{what}({readable(term)}): {reason}", _place_of(what, term, program, engine))


def _place_of(what: str, term: object, program: Program, engine: Engine) -> Position | None:
    """Where ``query(term)`` or ``evidence(term)`` stands; terms of the engine may have lost their places."""
    location = engine.locate(term.location) if isinstance(term, Term) else None
    if location is not None:
        return location
    own = (s for s in program.statements if s.heads_and_body()[0][0].functor == what)
    wrong = (s for s in own if goal_fault(s.heads_and_body()[0][0].args[0], what) is not None)
    return next((s.position for s in wrong), None)
