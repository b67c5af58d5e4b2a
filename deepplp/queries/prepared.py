"""`PreparedQuery`: a query that is compiled and waits for tensors, as a module of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from deepplp.answers import Answers
from deepplp.errors import InputError, QueryError
from deepplp.queries.batch import Options, answer_one
from deepplp.queries.compiled import CompiledQuery
from deepplp.queries.environment import Environment
from deepplp.queries.evidence import checked_evidence
from deepplp.queries.weights import request_of

__all__ = ["PreparedQuery"]

_NOTHING: Mapping[str, Tensor] = {}


class PreparedQuery(nn.Module):
    """A compiled query, called with its inputs: ``q(a=images_a, b=images_b)`` gives `Answers`.

    Made by `Model.compile`. Its parameters are the model's own, so that ``q.parameters()`` trains the model. Nothing is
    looked up, ground or compiled when it is called. What is registered on the model later does not change it.
    """

    def __init__(
        self, compiled: CompiledQuery, environment: Environment, names: Sequence[str], chosen: Options
    ) -> None:
        super().__init__()
        for name in ("networks", "distributions", "embeddings"):
            self.add_module(name, getattr(environment, name))
        self._compiled = compiled
        self._environment = environment
        self._names = frozenset(names)
        self._chosen = chosen

    @property
    def terms(self) -> tuple[str, ...]:
        """The answers' terms, in the order of `Answers.terms`."""
        return self._compiled.answers.texts

    def forward(
        self,
        inputs: Mapping[str, Tensor] | None = None,
        /,
        *,
        evidence: Mapping[str, Tensor] | None = None,
        **named: Tensor,
    ) -> Answers:
        """The answers for inputs [batch, …], by name or as a mapping, and for evidence [batch] that a tensor says.

        A mapping may hold more than the query needs, such as labels. Raises `MissingInputError` for an input that is
        not there, `BatchSizeError` where batch axes disagree.
        """
        given = {**inputs, **named} if inputs else named
        for name in named:
            if name not in self._names:
                listed = ", ".join(sorted(self._names)) or "none"
                raise InputError(f"this query was compiled without an input {name!r}; its inputs are: {listed}")
        observed = _observed(evidence) if evidence else _NOTHING
        request = request_of(self._compiled, given, observed)
        return answer_one(request, self._environment, self._chosen)

    def extra_repr(self) -> str:
        """What ``print`` says of it."""
        return f"{len(self.terms)} answers, inputs: {', '.join(sorted(self._names)) or 'none'}"


def _observed(evidence: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    checked = checked_evidence(evidence)
    for term, value in checked.items():
        if not isinstance(value, Tensor):
            raise QueryError(f"the evidence for {term} is a tensor here; True and False are compiled into the query")
    return {term: value for term, value in checked.items() if isinstance(value, Tensor)}
