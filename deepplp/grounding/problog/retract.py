"""``retract/1`` and ``retractall/1`` of library(assert): clauses that unify, of predicates that need not be known.

ProbLog's own erase whatever its index finds, bind nothing, and fail with an exception for predicates without clauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from problog.engine_builtin import check_mode
from problog.engine_unify import UnifyError, unify_value
from problog.logic import Clause, Term

from deepplp.grounding.problog.libraries import declare

__all__ = ["RETRACTORS"]


def _matching(term: Term, database: Any) -> Iterator[tuple[int, Term]]:
    """The clauses that unify with a head, or with ``head :- body``, and what each makes of it."""
    head, body = (term.args[0], term.args[1]) if isinstance(term, Clause) else (term, None)
    found = database.find(head)
    node = database.get_node(found) if found is not None else None
    if not node or type(node).__name__ != "define":
        return
    for number in list(node.children.find(head.args)):
        if type(database.get_node(number)).__name__ not in ("fact", "clause"):
            continue
        clause = database._create_ints(database.to_clause(number))
        own = clause.args if isinstance(clause, Clause) else (clause, Term("true"))
        bound: dict[Any, Any] = {}
        try:
            # The clause's variables are counted from 0, those of the call below it.
            unified = unify_value(own[0], head, bound)
            if body is not None:
                unified = Clause(unified, unify_value(own[1], body, bound))
        except UnifyError:
            continue
        yield number, unified


def _erase(term: Term, numbers: list[int], database: Any, target: Any) -> None:
    head = term.args[0] if isinstance(term, Clause) else term
    database.get_node(database.find(head)).children.erase(tuple(numbers))
    target._cache.reset()


def _retract(term: Any, target: Any = None, **call: Any) -> list[tuple[Term]]:
    """``retract(Clause)``: erase the first clause that unifies."""
    check_mode((term,), ["c"], "retract", call.get("location"), call.get("database"))
    database = call["engine"].database or call["engine"].loading
    for number, unified in _matching(term, database):
        _erase(term, [number], database, target)
        return [(unified,)]
    return []


def _retractall(term: Any, target: Any = None, **call: Any) -> list[tuple[Term]]:
    """``retractall(Head)``: erase all clauses whose head unifies; the predicate is known from then on."""
    check_mode((term,), ["c"], "retractall", call.get("location"), call.get("database"))
    database = call["engine"].database or call["engine"].loading
    numbers = [number for number, _ in _matching(term, database)]
    if numbers:
        _erase(term, numbers, database, target)
    else:
        declare(database, term.signature)
    return [(term,)]


RETRACTORS = (("_assert_retract", _retract), ("_assert_retractall", _retractall))
