"""`Asking`: the one way from a user's query to its answers, for one query and for many."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from deepplp.answers import Answers, ManyAnswers
from deepplp.compilation import CompilationReport
from deepplp.errors import DeepPLPError, InconsistentEvidenceError, InputError, QueryError
from deepplp.grounding import truth_value
from deepplp.queries.batch import OnInconsistent, Options, answer_many, answer_one, options
from deepplp.queries.cache import CompiledQueries
from deepplp.queries.compiled import CompiledQuery
from deepplp.queries.environment import Environment
from deepplp.queries.prepared import PreparedQuery
from deepplp.queries.query import Asked, Extra, Query, read
from deepplp.queries.weights import Request, request_of

__all__ = ["Asking"]

_PLACEHOLDER = torch.zeros(1)  # of an input whose tensor comes later


class Asking:
    """Answers queries by their compiled forms.

    Each method takes the environment in which its queries are answered: see `Environment`. What the other arguments
    mean is said by the methods of `Model` that have them.
    """

    def __init__(self, compiled: CompiledQueries) -> None:
        self._compiled = compiled

    def one(
        self,
        environment: Environment,
        query: Query,
        extra: Extra,
        on_inconsistent: OnInconsistent,
        dtype: torch.dtype | None,
    ) -> Answers:
        """The answers of one query: the case of `many` that needs no merging."""
        chosen = options(on_inconsistent, dtype)
        return answer_one(self._request(query, environment, extra, chosen), environment, chosen)

    def many(
        self,
        environment: Environment,
        queries: Sequence[Query],
        extra: Extra,
        on_inconsistent: OnInconsistent,
        dtype: torch.dtype | None,
    ) -> ManyAnswers:
        """The answers of several queries, each network called once."""
        chosen = options(on_inconsistent, dtype)
        requests: list[Request] = []
        for number, query in enumerate(_several(queries)):
            try:
                requests.append(self._request(query, environment, extra, chosen))
            except InconsistentEvidenceError as error:  # it is of the evidence, which it names
                _name_query(error, number, None)
                error.rows = (number,)
                raise
            except DeepPLPError as error:
                _name_query(error, number, query.query if isinstance(query, Query) else None)
                raise
        return ManyAnswers(answer_many(requests, environment, chosen))

    def prepared(
        self,
        environment: Environment,
        query: Query,
        inputs: Sequence[str],
        evidence: Mapping[str, bool | None],
        on_inconsistent: OnInconsistent,
        dtype: torch.dtype | None,
    ) -> PreparedQuery:
        """A query that waits for tensors under the names ``inputs``, and for those of evidence that is None."""
        inputs = _names(inputs)
        if not isinstance(evidence, Mapping):
            raise QueryError(f"evidence is a mapping such as {{'alarm(a)': None}}, not a {type(evidence).__name__}")
        chosen = options(on_inconsistent, dtype)
        for term, value in evidence.items():
            if value is not None and truth_value(value) is None:
                raise QueryError(
                    f"the evidence for {term} must be True or False or, for what a tensor of each call will say, None, "
                    f"not {reprlib.repr(value)}; a tensor is given to the call: prepared(evidence={{{term!r}: …}})"
                )
        known: dict[str, bool | Tensor] = {t: torch.ones(1) if v is None else v for t, v in evidence.items()}
        asked, _ = read(Query(query.query, dict.fromkeys(inputs, _PLACEHOLDER), known, query.facts))
        return PreparedQuery(self._find(asked, environment, chosen), environment, asked, chosen)

    def prepare(self, environment: Environment, queries: Sequence[Query], jobs: int) -> None:
        """Ground and compile queries in several processes at once."""
        if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs == 0:
            raise QueryError(f"jobs is a number of processes, or -1 for one a processor, not {reprlib.repr(jobs)}")
        self._compiled.prepare([(read(query)[0], environment) for query in _several(queries)], jobs)

    def report(self, environment: Environment, query: Query, order: str | None) -> CompilationReport:
        """How a query is compiled."""
        return self._compiled.report(read(query)[0], environment, order)

    def _request(self, query: Query, environment: Environment, extra: Extra, chosen: Options) -> Request:
        """A query with its compiled form and its tensors."""
        asked, tensors = read(query, extra)
        compiled = self._find(asked, environment, chosen)
        return request_of(compiled, tensors.inputs, tensors.observed, extra=extra == "ignore")

    def _find(self, asked: Asked, environment: Environment, chosen: Options) -> CompiledQuery:
        compiled = self._compiled.find(asked, environment)
        if compiled.is_contradictory and chosen.on_inconsistent == "raise":
            raise self._compiled.contradiction(asked, environment)
        if asked.queries is None and not compiled.answers.texts and not self._compiled.states("query/1", asked.facts):
            raise QueryError("the program has no query/1; give the query, such as model.query('path(a, X)')")
        return compiled


def _name_query(error: DeepPLPError, number: int, text: object) -> None:
    """Have an error say which of several queries it comes of, by number and text."""
    shown = f"; the query is {text!r}" if text is not None else ""
    error.message = f"query {number}, counted from 0: {error.message}{shown}"
    error.args = (error.message, error.position)


def _several(queries: object) -> Iterable[Query]:
    """Several queries, whose own kinds are not looked at."""
    if isinstance(queries, (Query, Tensor)) or not isinstance(queries, Iterable):
        alone = "one alone" if isinstance(queries, Query) else f"a {type(queries).__name__}"
        raise QueryError(f"queries are a list such as [deepplp.Query('path(a, X)')], not {alone}")
    return queries


def _names(inputs: object) -> tuple[str, ...]:
    """The names of the inputs of a prepared query."""
    names = tuple(inputs) if isinstance(inputs, Iterable) and not isinstance(inputs, (str, Tensor)) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise InputError(f"inputs are names, such as ['a', 'b'], not {inputs!r}")
    return names
