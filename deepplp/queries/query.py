"""A query as a user gives it, and as it is once it has been read: parsed, checked, its tensors apart."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from torch import Tensor

from deepplp.errors import InputError, QueryError
from deepplp.program import Term, parse_goal
from deepplp.queries.evidence import check_given_once, checked_evidence

__all__ = ["Asked", "Extra", "InputValue", "Query", "Question", "Tensors", "read"]

Extra = Literal["error", "ignore"]
InputValue: TypeAlias = Tensor | Sequence[object]
"""A tensor [batch, …], or Python values, one a row, for a network that takes those."""
Evidence = tuple[tuple[str, bool | None], ...]


@dataclass(frozen=True)
class Query:
    """One query of many: the ``query``, ``inputs``, ``evidence`` and ``facts`` that `Model.query` takes.

    >>> Query("path(ann, dan)", facts="0.5::edge(ann, bob). edge(bob, dan).").facts
    '0.5::edge(ann, bob). edge(bob, dan).'
    """

    query: str | Sequence[str] | None = None
    inputs: Mapping[str, InputValue] = field(default_factory=dict)
    evidence: Mapping[str, bool | Tensor] = field(default_factory=dict)
    facts: str = ""


class Asked(NamedTuple):
    """What a query asks, as the texts that the user wrote: the key under which its compiled form is found.

    ``queries`` are None where the program's own are asked. ``names`` are those of the inputs, and with ``extra`` more
    than that. Evidence is None where a tensor says it row by row.
    """

    queries: tuple[str, ...] | None
    names: tuple[str, ...]
    evidence: Evidence
    facts: str
    extra: Extra = "error"

    def question(self) -> Question:
        """The same with terms in place of texts."""
        for text in self.queries or ():
            if not isinstance(text, str):
                raise QueryError(f"a query is a text such as 'addition(a, b, S)', not {text!r}")
        known = tuple((parse_goal(text, "<evidence>"), holds) for text, holds in self.evidence)
        check_given_once([str(term) for term, holds in known if holds is None])
        queries = None if self.queries is None else tuple(map(parse_goal, self.queries))
        return Question(queries, self.names, known, self.facts)


@dataclass(frozen=True, slots=True)
class Question:
    """What a query asks, parsed once."""

    queries: tuple[Term, ...] | None
    names: tuple[str, ...]
    evidence: tuple[tuple[Term, bool | None], ...]
    facts: str

    @property
    def goals(self) -> list[Term]:
        """All atoms that it names."""
        return [*(term for term, _ in self.evidence), *(self.queries or ())]


class Tensors(NamedTuple):
    """The tensors of a query: its inputs by name, and its row-by-row evidence by the text of the atom."""

    inputs: Mapping[str, object]
    observed: Mapping[str, Tensor]


_NOTHING: Mapping[str, Tensor] = {}


def read(query: Query, extra: Extra = "error") -> tuple[Asked, Tensors]:
    """What a query asks and its tensors, checked as far as can be told without the program."""
    if not isinstance(query, Query):
        raise QueryError(f"each of several queries is a deepplp.Query, not {reprlib.repr(query)}")
    text = query.query
    if text is not None and not isinstance(text, (str, Sequence)):
        raise QueryError(f"a query is a text such as 'addition(a, b, S)', or a list of them, not {reprlib.repr(text)}")
    if not isinstance(query.facts, str):
        raise QueryError(f"facts are a text such as 'edge(a, b). edge(b, c).', not a {type(query.facts).__name__}")
    if extra not in ("error", "ignore"):
        raise QueryError(f"extra is 'error' or 'ignore', not {extra!r}")
    queries = (text,) if isinstance(text, str) else None if text is None else tuple(text)
    inputs = _NOTHING if query.inputs is None else query.inputs
    evidence: Evidence = ()
    observed = _NOTHING
    if query.evidence is not None and (not isinstance(query.evidence, Mapping) or query.evidence):
        known = checked_evidence(query.evidence)
        observed = {term: value for term, value in known.items() if isinstance(value, Tensor)}
        evidence = tuple(sorted((t, None if isinstance(v, Tensor) else v) for t, v in known.items()))
    return Asked(queries, _names(inputs), evidence, query.facts, extra), Tensors(inputs, observed)


def _names(inputs: Mapping[str, object]) -> tuple[str, ...]:
    if not isinstance(inputs, Mapping):
        raise InputError(f"inputs is a mapping from names to tensors, not a {type(inputs).__name__}")
    for name in inputs:
        if not isinstance(name, str):
            raise InputError(f"inputs are named by strings, not by {name!r}")
    return tuple(sorted(inputs))
