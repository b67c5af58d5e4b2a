"""What is kept of a ground program beside its circuit: its choices and the terms of its goals, without nodes."""

from __future__ import annotations

from dataclasses import dataclass

from deepplp.formula import Choice, Formula
from deepplp.program import Term

__all__ = ["Header"]


@dataclass(frozen=True, slots=True)
class Header:
    """The choices of a formula, its queries and evidence as terms, and the queries that have no answer.

    ``impossible`` are the numbers of the queries that hold in no world, whatever the probabilities.

    A circuit reads the choices by their numbers, and its roots stand for the queries, in their order.
    """

    choices: tuple[Choice, ...]
    queries: tuple[Term, ...]
    evidence: tuple[Term, ...] = ()
    unanswered: tuple[Term, ...] = ()
    impossible: tuple[int, ...] = ()

    @classmethod
    def of(cls, formula: Formula, impossible: tuple[int, ...]) -> Header:
        """The header of a formula, some of whose queries are impossible."""
        queries, evidence = (tuple(g.term for g in goals) for goals in (formula.queries, formula.evidence))
        return cls(formula.choices, queries, evidence, formula.unanswered, impossible)
