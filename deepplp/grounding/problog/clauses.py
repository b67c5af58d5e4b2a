"""Statements as clauses for ProbLog's engine: neural declarations, learnable probabilities, and scoped variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from problog.logic import And as AndTerm
from problog.logic import AnnotatedDisjunction, Clause, Constant, Not, Or, Term, Var

from deepplp.grounding.aggregates import AGGREGATE, AGGREGATE_ARITY
from deepplp.grounding.clause_base import LEARNABLE, NEURAL
from deepplp.program import LearnableClause, NeuralDeclaration, Statement

__all__ = ["engine_clauses"]

# Arguments whose variables are their own, unless they also stand elsewhere in the clause.
_SCOPED_ARGUMENTS = {
    "findall/3": (0, 1), "all/3": (0, 1), "all_or_none/3": (0, 1), "forall/2": (0, 1), "aggregate_all/3": (0, 1),
    "'>>'/2": (0, 1), f"{AGGREGATE}/{AGGREGATE_ARITY}": (1, 2, 4, 5),
}  # fmt: skip


def engine_clauses(statement: Statement) -> Iterator[Term]:
    """What stands for a statement in the engine's data base: one clause, or two where variables need a scope."""
    if statement.neural is not None:
        yield _neural_clause(statement.neural)
        return
    term = statement.term if statement.learnable is None else _learnable_term(statement.term, statement.learnable)
    yield from _scoped(term, statement)


def _scoped(term: Term, statement: Statement) -> Iterator[Term]:
    """A probabilistic clause whose body holds variables of forall and its like: the body gets a clause of its own.

    To the engine, a choice is one for each grounding of all variables of its clause, so that those must be none of it.
    """
    heads, body = statement.heads_and_body()
    probabilistic = any(isinstance(h, Term) and h.probability is not None for h in heads)
    local = _local_variables(body) if probabilistic and _scopes(body) else set()
    if not local or body is None:
        yield term
        return
    whole = Term("s", *heads, body, *(h.probability for h in heads if h.probability is not None))
    names = [v for v in dict.fromkeys(str(v) for v in whole.variables()) if v not in local]
    name = Term(f"$body_{statement.file}_{statement.end}", *(Var(n) for n in names))
    yield Clause(name, body, location=term.location)
    if isinstance(term, Clause):
        yield Clause(term.head, name, location=term.location)
    else:
        yield AnnotatedDisjunction(list(term.heads), name, location=term.location)


def _neural_clause(declared: NeuralDeclaration) -> Clause:
    """The clause that stands for a neural declaration in the engine."""
    output = declared.output if declared.output is not None else Constant(0)
    domain = declared.domain if declared.domain is not None else Constant(0)
    statement = Term("s", declared.head, *declared.inputs, *([declared.body] if declared.body is not None else []))
    local = _local_variables(declared.body)
    names = [v for v in dict.fromkeys(str(v) for v in statement.variables()) if v not in {str(output), str(domain)}]
    key = Term("k", *(Var(n) for n in names if n not in local))
    call = Term(NEURAL, Constant(declared.index), key, Term("i", *declared.inputs), output, domain)
    return Clause(declared.head, call if declared.body is None else AndTerm(declared.body, call))


def _scopes(body: Term | None) -> bool:
    """Whether a body calls findall or one of its like, of whose variables the engine does not know that they are local.

    Those of negations it knows.
    """
    stack: list[Any] = [body]
    while stack:
        term = stack.pop()
        if isinstance(term, Term) and not isinstance(term, Var):
            if f"{term.functor}/{term.arity}" in _SCOPED_ARGUMENTS:
                return True
            stack.extend(term.args)
    return False


def _local_variables(body: Term | None) -> set[str]:
    """The variables that occur in negations and the goals of findall and its like only: not part of the choice."""
    if body is None:
        return set()
    outside: set[str] = set()
    inside: set[str] = set()
    stack: list[tuple[Any, bool]] = [(body, False)]
    while stack:
        term, scoped = stack.pop()
        if isinstance(term, Var):
            (inside if scoped else outside).add(str(term))
        elif isinstance(term, Not) or (isinstance(term, Term) and term.functor in ("\\+", "not") and term.arity == 1):
            stack.extend((a, True) for a in term.args)
        elif isinstance(term, Term):
            own = _SCOPED_ARGUMENTS.get(f"{term.functor}/{term.arity}", ())
            stack.extend((a, scoped or i in own) for i, a in enumerate(term.args))
    return inside - outside


def _learnable_term(statement: Term, clause: LearnableClause) -> Term:
    """The statement with each ``t(start, X)`` as ``'$learnable'(clause, X)``."""

    def marked(head: Term, number: int) -> Term:
        if not clause.learnable[number]:
            return head
        return head.with_probability(Term(LEARNABLE, Constant(clause.index), *clause.arguments[number]))

    if isinstance(statement, Clause):
        return Clause(marked(statement.head, 0), statement.body, location=statement.location)
    if isinstance(statement, (AnnotatedDisjunction, Or)):
        heads = statement.heads if isinstance(statement, AnnotatedDisjunction) else statement.to_list()
        body = statement.body if isinstance(statement, AnnotatedDisjunction) else Term("true")
        return AnnotatedDisjunction([marked(h, i) for i, h in enumerate(heads)], body, location=statement.location)
    return marked(statement, 0)
