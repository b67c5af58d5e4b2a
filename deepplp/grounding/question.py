"""Queries and evidence that are ground together: the goals that they come to, and the formula that answers make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepplp.errors import NonGroundError, QueryError
from deepplp.formula import Formula
from deepplp.grounding.extraction import Extraction
from deepplp.grounding.free_variables import is_closed
from deepplp.grounding.goals import GoalAnswers, GroundGoals
from deepplp.grounding.target import FALSE_KEY, TRUE_KEY, GroundWriter, Key
from deepplp.program import (
    Conjunction,
    Constant,
    Disjunction,
    LearnableClause,
    Term,
    Var,
    anonymous_apart,
    is_ground,
    named_all,
    readable,
    standard_order_keys,
    texts_of,
    variant,
)

__all__ = ["Question", "atom_of", "goal_fault", "truth_fault", "truth_value"]


def truth_value(value: object) -> bool | None:
    """A truth value as Python's own: True and False, numpy's too, and the integers 0 and 1. None for anything else.

    >>> truth_value(1), truth_value(False), truth_value(0.5), truth_value("true")
    (True, False, None, None)
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return bool(value) if isinstance(value, (int, np.integer)) and value in (0, 1) else None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what is known: an atom is true, false, or (None) what a tensor will say row by row."""

    queries: tuple[Term, ...]
    evidence: tuple[tuple[Term, bool | None], ...]

    def __post_init__(self) -> None:
        for term in (*self.queries, *(term for term, _ in self.evidence)):
            if term.probability is not None:
                raise QueryError(f"{term} is a clause; what is asked or known is an atom without a probability")
        for what, terms in (("query", self.queries), ("evidence", [term for term, _ in self.evidence])):
            for term in terms:
                fault = goal_fault(term, what)
                if fault is not None:
                    raise QueryError(f"{what}({readable(term)}): {fault}")
        for term, holds in self.evidence:
            if holds is None and not is_ground(term):
                message = f"the evidence {readable(term)} is a tensor, so it must be one ground atom"
                raise NonGroundError(message, None)

    def goals(self) -> list[Term]:
        """The goals to ground, none of them negated: those of the queries, then those of the evidence."""
        return [anonymous_apart(atom_of(term)[0]) for term in (*self.queries, *(term for term, _ in self.evidence))]

    def formula(self, ground: GroundGoals, learnables: tuple[LearnableClause, ...]) -> Formula:
        """The formula of the goals' answers.

        Raises:
            NonGroundError: a negated query holds a variable.
            GroundingError: a probability or a choice is not what it must be.
        """
        answered = [_answers(t, a, ground) for t, a in zip(self._terms(), ground.answers, strict=True)]
        count = len(self.queries)
        found: dict[str, tuple[Term, Key]] = {}
        asked = [answer for answers in answered[:count] for answer in answers]
        terms = named_all([term for term, _ in asked])
        for text, shown, (_, key) in zip(texts_of(terms), terms, asked, strict=True):
            found.setdefault(text, (shown, key))
        unanswered = tuple(q for q, answers in zip(self.queries, answered, strict=False) if not answers)
        known: dict[str, tuple[Term, Key]] = {}
        observed: dict[str, tuple[Term, Key]] = {}
        for (term, holds), answers in zip(self.evidence, answered[count:], strict=True):
            if holds is None:
                observed[str(term)] = term, answers[0][1]
            else:
                known.update((str(t), (t, key)) for t, key in _known(term, holds, answers, ground.target))
        extraction = Extraction(ground.target, ground.clauses, learnables, ground.inputs)
        return extraction.formula(tuple(found.values()), tuple(known.values()), tuple(observed.values()), unanswered)

    def _terms(self) -> Iterable[Term]:
        return (*self.queries, *(term for term, _ in self.evidence))


def goal_fault(term: object, what: str) -> str | None:
    """Why a term cannot be asked or known, ``what`` is "query" or "evidence"; None for an atom and for its negation."""
    atom, negated = atom_of(term) if isinstance(term, Term) else (term, False)
    shown = readable(atom)
    if isinstance(atom, (Conjunction, Disjunction)):
        name = "\\+p" if negated else "p"
        return f"give {shown} a name by a rule, such as p :- {shown}, and write {what}({name})"
    if not isinstance(atom, Term) or isinstance(atom, Var):
        return "a variable is not an atom that can hold or not"
    if negated and atom_of(atom)[1]:
        return f"it is negated twice; write {what}({readable(atom_of(atom)[0])})"
    if isinstance(atom, Constant) or atom.functor in (".", "[]"):
        return f"{shown} is not an atom that can hold or not"
    return None


def truth_fault(term: object, value: object) -> str | None:
    """Why ``evidence(term, value)`` observes nothing; None where it does."""
    text = readable(value)
    if text in ("true", "false"):
        return None
    return f"evidence({readable(term)}, {text}): the second argument must be true or false"


def atom_of(term: Term) -> tuple[Term, bool]:
    """The atom of a query or of evidence, and whether that is negated."""
    if term.is_negated():
        return -term, True
    if term.functor in ("not", "\\+", "'\\+'") and term.arity == 1:
        return term.args[0], True
    return term, False


def _answers(term: Term, answers: GoalAnswers, ground: GroundGoals) -> Sequence[tuple[Term, Key]]:
    """The provable instances of a query with their keys, in the standard order of terms."""
    atom, negated = atom_of(term)
    target = ground.target
    keys: dict[Term, list[Key]] = defaultdict(list)
    for arguments, key in answers:
        keys[atom.with_args(*arguments)].append(key)
    if negated:
        if not is_closed(atom):
            message = f"the negated query {readable(term)} must be ground"
            raise NonGroundError(message, ground.clauses.locate(atom.location))
        found = [key for of_one in keys.values() for key in of_one]  # the atom holds, by each of them
        proved = target.add_or(found) if found else FALSE_KEY
        return [(variant(term), target.negate(proved))]
    if not keys and is_closed(atom):
        return [(atom, FALSE_KEY)]
    order = dict(zip(keys, standard_order_keys(keys), strict=True))
    ordered = sorted(keys, key=order.__getitem__)
    return [(a, target.add_or(keys[a]) if len(keys[a]) > 1 else keys[a][0]) for a in ordered]


def _known(
    term: Term, holds: bool, answers: Sequence[tuple[Term, Key]], target: GroundWriter
) -> Sequence[tuple[Term, Key]]:
    """Evidence about all answers of an atom, as goals that hold."""
    if not answers:  # no instance can be proved
        return [(term if holds else -term, FALSE_KEY if holds else TRUE_KEY)]
    return answers if holds else [(-answer, target.negate(key)) for answer, key in answers]
