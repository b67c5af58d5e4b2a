"""What is said of evidence that cannot hold."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from deepplp.circuit import FALSE_NODE
from deepplp.compilation import CompileBudget, compile_formula
from deepplp.errors import BudgetExceededError, InconsistentEvidenceError, Position
from deepplp.formula import Formula, Goal
from deepplp.program import Program, Term

__all__ = ["contradiction", "nothing_follows"]

_SECONDS = 2.0  # for finding out which evidence contradicts itself


def contradiction(formula: Formula, program: Program) -> InconsistentEvidenceError:
    """The error of evidence that no world satisfies, whatever the weights, and where that evidence stands.

    Evidence without which the rest still contradicts itself is left out, as far as a short time allows to find it.
    """
    terms = [goal.term for goal in _conflict(formula)]
    places = [_place(term, program) for term in terms]
    shown = ", ".join(
        str(term) if place is None or len(terms) == 1 else f"{term} ({place})"
        for term, place in zip(terms, places, strict=True)
    )
    many = len(terms) > 1
    return InconsistentEvidenceError(
        f"the evidence {shown} contradicts {'itself or ' if many else ''}the program: no world satisfies "
        f"{'all of it' if many else 'it'}",
        next((place for place in places if place is not None), None),
    )


def nothing_follows(where: str = "the evidence has probability 0") -> str:
    """The evidence has probability 0 by its weights."""
    return f"{where}, so nothing follows from it; check it against the program and the networks' outputs"


def _conflict(formula: Formula) -> list[Goal]:
    """Evidence that contradicts itself, as little of it as can soon be found."""
    deadline = time.monotonic() + _SECONDS
    needed = list(formula.evidence)
    for goal in formula.evidence:
        rest = [other for other in needed if other is not goal]
        left = deadline - time.monotonic()
        if left <= 0 or not _is_impossible(formula, rest, left):
            continue
        needed = rest
    return needed


def _is_impossible(formula: Formula, evidence: Iterable[Goal], seconds: float) -> bool:
    """Whether evidence is found to hold in no world, within some seconds."""
    try:
        circuit = compile_formula(
            replace(formula, queries=(), evidence=tuple(evidence)), budget=CompileBudget(seconds=seconds)
        )
    except BudgetExceededError:
        return False
    return circuit.evidence == FALSE_NODE


def _place(term: Term, program: Program) -> Position | None:
    """Where a program states evidence, by an atom of its own or by one with variables; None where it does not."""
    by_pattern: Position | None = None
    for statement in program.statements:
        head = statement.heads_and_body()[0][0]
        if str(head.functor) != "evidence" or not head.args or not isinstance(head.args[0], Term):
            continue
        stated = head.args[0]
        negated = len(head.args) > 1 and str(head.args[1]) == "false"
        if str(term) == str(-stated if negated else stated):
            return statement.position
        if not stated.is_ground() and _atom(stated).signature == _atom(term).signature:
            by_pattern = by_pattern or statement.position
    return by_pattern


def _atom(term: Term) -> Term:
    return -term if term.is_negated() else term
