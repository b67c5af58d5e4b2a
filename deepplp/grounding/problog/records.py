"""library(record): terms that a program records under keys, first or last, and erases by their references."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from problog.engine_unify import UnifyError, unify_value
from problog.logic import is_variable

from deepplp.errors import GroundingError
from deepplp.grounding.problog.recorded import Record
from deepplp.grounding.problog.vocabulary import Argument, Arguments, Bindings, BuiltinFunction, CallOptions
from deepplp.program import Constant, readable

__all__ = ["RECORDERS"]


def _current_key(key: Argument, **call: Unpack[CallOptions]) -> list[Arguments]:
    """``current_key(Key)``."""
    return _unified((key,), [(k,) for k in call["engine"].records.keys])


def _recorder(first: bool) -> BuiltinFunction:
    """``recorda(Key, Term)`` and ``recordz(Key, Term)``, also with the record's reference."""

    def record(key: Argument, term: Argument, *reference: Argument, **call: Unpack[CallOptions]) -> list[Arguments]:
        made = call["engine"].records.add(key, term, first=first)
        return _unified((key, term, *reference), [(key, term, *(Constant(made) for _ in reference))])

    return record


def _erase(reference: Argument, **call: Unpack[CallOptions]) -> list[Arguments]:
    """``erase(Reference)``."""
    call["engine"].records.erase(_referred(reference, "erase/1", call))
    return [(reference,)]


def _recorded(key: Argument, term: Argument, *reference: Argument, **call: Unpack[CallOptions]) -> list[Arguments]:
    """``recorded(Key, Term)`` and ``recorded(Key, Term, Reference)``."""
    records = call["engine"].records
    found = [r for k in (records.keys if is_variable(key) else [key]) for r in records.under(k)]
    return _unified((key, term, *reference), [(r.key, r.term, *(Constant(r) for _ in reference)) for r in found])


def _instance(reference: Argument, term: Argument, **call: Unpack[CallOptions]) -> list[Arguments]:
    """``instance(Reference, Term)``."""
    return _unified((reference, term), [(reference, _referred(reference, "instance/2", call).term)])


def _referred(reference: Argument, predicate: str, call: CallOptions) -> Record:
    found = reference.functor if isinstance(reference, Constant) else None
    if isinstance(found, Record):
        return found
    raise GroundingError(
        f"{predicate} fails on these arguments: {readable(reference)} is no reference of a record",
        call["engine"].locate(call.get("location")),
    )


def _unified(given: Arguments, found: Iterable[Arguments]) -> list[Arguments]:
    """The answers that unify with a call's arguments."""
    answers: list[Arguments] = []
    for solution in found:
        bound: Bindings = {}
        try:
            answers.append([unify_value(s, g, bound) for s, g in zip(solution, given, strict=True)])
        except UnifyError:
            continue
    return answers


RECORDERS: tuple[tuple[str, int, BuiltinFunction], ...] = (
    ("current_key", 1, _current_key),
    ("recorda", 3, _recorder(first=True)),
    ("recorda", 2, _recorder(first=True)),
    ("recordz", 3, _recorder(first=False)),
    ("recordz", 2, _recorder(first=False)),
    ("erase", 1, _erase),
    ("recorded", 2, _recorded),
    ("recorded", 3, _recorded),
    ("instance", 2, _instance),
)
