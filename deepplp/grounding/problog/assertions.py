"""``assertz/1``, ``retract/1`` and ``retractall/1`` of library(assert), on the data base of the run that calls them.

ProbLog's own change whatever data base was loaded last. Its retract/1 and retractall/1 erase whatever its index finds,
bind nothing, and fail with an exception for predicates without clauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from problog.engine_builtin import check_mode
from problog.engine_unify import UnifyError, unify_value
from problog.logic import Clause

from deepplp.grounding.problog.vocabulary import Bindings, BuiltinFunction, CallOptions, ClauseStore
from deepplp.program import Term

__all__ = ["ASSERTIONS"]


def _assertz(clause: Term, **call: Unpack[CallOptions]) -> list[tuple[Term]]:
    """``assertz(Clause)``: add a fact or a rule behind those of its predicate."""
    check_mode((clause,), ["c"], "assertz", call.get("location"), call.get("database"))
    call["engine"].database.add_statement(clause)
    call["target"]._cache.reset()
    return [(clause,)]


def _retract(clause: Term, **call: Unpack[CallOptions]) -> list[tuple[Term]]:
    """``retract(Clause)``: erase the first clause that unifies."""
    check_mode((clause,), ["c"], "retract", call.get("location"), call.get("database"))
    database = call["engine"].database
    for number, unified in _matching(clause, database):
        database.erase(_head(clause), [number])
        call["target"]._cache.reset()
        return [(unified,)]
    return []


def _retractall(head: Term, **call: Unpack[CallOptions]) -> list[tuple[Term]]:
    """``retractall(Head)``: erase all clauses whose head unifies; the predicate is known from then on."""
    check_mode((head,), ["c"], "retractall", call.get("location"), call.get("database"))
    database = call["engine"].database
    numbers = [number for number, _ in _matching(head, database)]
    if numbers:
        database.erase(_head(head), numbers)
        call["target"]._cache.reset()
    else:
        database.declare(head.signature)
    return [(head,)]


def _matching(clause: Term, database: ClauseStore) -> Iterator[tuple[int, Term]]:
    """The clauses that unify with a head, or with ``head :- body``, and what each makes of it."""
    head, body = _head(clause), clause.args[1] if isinstance(clause, Clause) else None
    for number, found in database.matching(head):
        own = found.args if isinstance(found, Clause) else (found, Term("true"))
        bound: Bindings = {}
        try:
            # The clause's variables are counted from 0, those of the call below it.
            unified = unify_value(own[0], head, bound)
            yield number, unified if body is None else Clause(unified, unify_value(own[1], body, bound))
        except UnifyError:
            continue


def _head(clause: Term) -> Term:
    head: Term = clause.args[0] if isinstance(clause, Clause) else clause
    return head


ASSERTIONS: tuple[tuple[str, int, BuiltinFunction], ...] = (
    ("assertz", 1, _assertz),
    ("retract", 1, _retract),
    ("retractall", 1, _retractall),
)
