"""Learnable probabilities: ``t(0.3)``, ``t(_)``, and one a grounding, ``t(_, X)``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from problog.logic import And, AnnotatedDisjunction, Clause, Constant, Or, Term, Var

from deepplp.errors import InvalidProbabilityError, Position, ProgramSyntaxError
from deepplp.program.numbers import as_float, number_of
from deepplp.program.writing import text_of

__all__ = ["LearnableClause", "learnable_clause", "write_learnt"]

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class LearnableClause:
    """A fact, rule or annotated disjunction some of whose probabilities are learnt.

    For every head: ``learnable`` says whether its probability is, ``initial`` where it starts (None: anywhere),
    ``fixed`` is the number that it is instead (None: learnt, or known only when ground), and ``arguments`` are the
    terms behind the first one of ``t(_, X)``, each of whose groundings has a parameter of its own. ``text`` is what
    tells the clause from others: no numbers, and variables by the order in which they occur.
    """

    index: int
    heads: tuple[str, ...]
    learnable: tuple[bool, ...]
    initial: tuple[float | None, ...]
    fixed: tuple[float | None, ...]
    arguments: tuple[tuple[Term, ...], ...]
    position: Position
    text: str

    @property
    def has_arguments(self) -> bool:
        """Whether groundings have parameters of their own."""
        return any(self.arguments)

    def admits(self, fixed: Sequence[float | None], arguments: int) -> bool:
        """Whether a grounding may have these stated probabilities (None: learnt), and so many arguments."""
        if len(fixed) != len(self.heads) or arguments != sum(map(len, self.arguments)):
            return False
        return all((f is None) == learnt for f, learnt in zip(fixed, self.learnable, strict=True))

    def distribution(self, fixed: Sequence[float | None]) -> tuple[float, ...]:
        """Where the values' probabilities start, given those that are not learnt (None for those that are).

        The values are the heads and, last, "none" where there is one: for a single head always, for an annotated
        disjunction where all its heads are given and leave something over. Heads without an initial value share what
        the others leave.
        """
        given = [f if f is not None else start for f, start in zip(fixed, self.initial, strict=True)]
        rest = 1.0 - math.fsum(p for p in given if p is not None)
        if rest < -_ROUNDING:
            raise InvalidProbabilityError(
                f"the probabilities of this clause start at a sum of {1 - rest:.12g}, which is more than 1",
                self.position,
            )
        open_heads = given.count(None)
        if open_heads == 0:
            values = [p for p in given if p is not None]
            return tuple(values if rest <= _ROUNDING and len(values) > 1 else [*values, max(0.0, rest)])
        if len(given) == 1:
            return 0.5, 0.5
        return tuple(rest / open_heads if p is None else p for p in given)


def write_learnt(
    statement: Term, clause: LearnableClause, groundings: Sequence[tuple[Sequence[str], Sequence[float]]]
) -> str:
    """The clause with what was learnt: its ground arguments, each with the probabilities of the heads.

    Where groundings have parameters of their own, a head's probability becomes a variable that a fact for each
    grounding binds: ``t(_, X)::p(X)`` becomes ``P0::p(X) :- p_learnt0(X, P0)``.
    """
    if isinstance(statement, (AnnotatedDisjunction, Or)):
        heads = list(statement.heads if isinstance(statement, AnnotatedDisjunction) else statement.to_list())
    else:
        heads = [statement.head if isinstance(statement, Clause) else statement]
    body = statement.body if isinstance(statement, (Clause, AnnotatedDisjunction)) else None
    if not clause.has_arguments:
        values = groundings[0][1] if groundings else clause.distribution(clause.fixed)
        for i, t in enumerate(clause.learnable):
            if t:
                heads[i] = heads[i].with_probability(Constant(values[i]))
        return _clause_text(heads, body)
    facts: list[str] = []
    table = f"learnt{clause.index}"
    arguments = [a for t in clause.arguments for a in t]
    variables = [Var(f"P{clause.index}_{i}") for i, t in enumerate(clause.learnable) if t]
    call = Term(table, *arguments, *variables)
    remaining = iter(variables)
    heads = [h.with_probability(next(remaining)) if t else h for h, t in zip(heads, clause.learnable, strict=True)]
    for ground, values in groundings:
        learnt = [repr(float(v)) for v, t in zip(values, clause.learnable, strict=False) if t]
        facts.append(f"{table}({','.join([*ground, *learnt])}).")
    return "\n".join([*facts, _clause_text(heads, call if body is None else And(body, call))])


def _clause_text(heads: Sequence[Term], body: Term | None) -> str:
    text = "; ".join(str(h) for h in heads)
    return f"{text}." if body is None else f"{text} :- {text_of(body)}."


def learnable_clause(
    heads: Sequence[Term], body: Term | None, position: Position, index: int
) -> LearnableClause | None:
    """The learnable clause that these heads and this body are, if one of the probabilities is ``t(…)``."""
    probabilities = [h.probability for h in heads]
    learnable = tuple(isinstance(p, Term) and p.functor == "t" and p.arity > 0 for p in probabilities)
    if not any(learnable):
        return None
    for p in (p for p, learnt in zip(probabilities, learnable, strict=True) if learnt):
        _check_first(p, heads, body, position)
    return LearnableClause(
        index,
        tuple(str(h.with_probability(None)) for h in heads),
        learnable,
        tuple(_initial(p, position) if t else None for p, t in zip(probabilities, learnable, strict=True)),
        tuple(None if t else _number(p) for p, t in zip(probabilities, learnable, strict=True)),
        tuple(tuple(p.args[1:]) if t else () for p, t in zip(probabilities, learnable, strict=True)),
        position,
        _text(heads, body),
    )


def _check_first(probability: Term, heads: Sequence[Term], body: Term | None, position: Position) -> None:
    """Refuse ``t(X)::p(X)``: a probability that starts anywhere, as if X were not there."""
    first = probability.args[0]
    parts = [*(h.with_probability(None) for h in heads), *([] if body is None else [body])]
    if isinstance(first, Var) and str(first) != "_" and any(str(first) in map(str, p.variables()) for p in parts):
        raise ProgramSyntaxError(
            f"the first argument of t is where it starts: a number, or _ for anywhere; one parameter for each {first} "
            f"is t(_, {first})",
            position,
        )


class _Letters(dict[str, Var]):
    """Variables by the order in which they are met."""

    def __missing__(self, name: str) -> Var:
        made = Var("_") if name == "_" else Var(f"X{len(self)}")
        return self.setdefault(name, made) if name != "_" else made


def _text(heads: Sequence[Term], body: Term | None) -> str:
    """A clause as a text without numbers, in which variables are X0, X1 and so on."""
    letters = _Letters()

    def head(term: Term) -> str:
        p = term.probability
        arguments = p.args[1:] if isinstance(p, Term) and p.functor == "t" and p.arity > 0 else None
        learnt = "_" if arguments is None else Term("t", Var("_"), *arguments).apply(letters)
        return f"{learnt}::{term.with_probability(None).apply(letters)}"

    text = "; ".join(map(head, heads))
    return text if body is None else f"{text} :- {body.apply(letters)}"


def _number(probability: Term) -> float | None:
    try:
        return as_float(number_of(probability))
    except ValueError:
        return None


def _initial(probability: Term, position: Position) -> float | None:
    first = probability.args[0]
    if isinstance(first, Var):
        return None
    try:
        value = as_float(number_of(first))
    except ValueError:
        raise ProgramSyntaxError(
            f"{probability} must start from a number, as t(0.3), or anywhere, as t(_)", position
        ) from None
    if not 0.0 < value < 1.0:
        raise InvalidProbabilityError(
            f"{probability} starts at {value:.12g}, where it could not be learnt; start between 0 and 1", position
        )
    return value
