"""`PreparedQuery`: a query that is compiled and waits for tensors, as a module of its own."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from deepplp.answers import Answers
from deepplp.errors import InputError, QueryError
from deepplp.neural import Distributions, LearntNumbers
from deepplp.program import parse_goal
from deepplp.queries.batch import Options, answer_one
from deepplp.queries.compiled import CompiledQuery
from deepplp.queries.environment import Environment
from deepplp.queries.evidence import check_given_once, checked_evidence
from deepplp.queries.query import Asked, InputValue
from deepplp.queries.straight import Straight
from deepplp.queries.weights import request_of

__all__ = ["PreparedQuery"]

_NOTHING: Mapping[str, Tensor] = {}


class PreparedQuery(nn.Module):
    """A compiled query, called with its inputs: ``q(a=images_a, b=images_b)`` gives `Answers`.

    Made by `Model.compile`. Its parameters are the model's own, so that ``q.parameters()`` trains the model. Nothing is
    looked up, ground or compiled when it is called. What is registered on the model later does not change it.
    """

    networks: nn.ModuleDict
    distributions: Distributions
    embeddings: nn.ModuleDict
    params: LearntNumbers

    def __init__(self, compiled: CompiledQuery, environment: Environment, asked: Asked, chosen: Options) -> None:
        super().__init__()
        for name in ("networks", "distributions", "embeddings", "params"):
            self.add_module(name, getattr(environment, name))
        self._compiled = compiled
        self._environment = environment
        self._names = frozenset(asked.names)
        self._awaited = frozenset(
            str(parse_goal(text, "<evidence>")) for text, holds in asked.evidence if holds is None
        )
        self._chosen = chosen
        self._reads_all = bool(self._names) and self._names == compiled.demand.needs.inputs.keys()
        self._straight = Straight.of(compiled) if self._reads_all else None

    @property
    def terms(self) -> tuple[str, ...]:
        """The answers' terms, in the order of `Answers.terms`."""
        return self._compiled.answers.texts

    def forward(
        self,
        inputs: Mapping[str, InputValue] | None = None,
        /,
        *,
        evidence: Mapping[str, Tensor] | None = None,
        **named: InputValue,
    ) -> Answers:
        """The answers for inputs [batch, …], by name or as a mapping, and for evidence [batch] that a tensor says.

        A mapping may hold more than the query needs, such as labels. All inputs that it was compiled for tell the batch
        size, as in `Model.query`. Raises `MissingInputError` for an input that is not
        there, `BatchSizeError` where batch axes disagree.
        """
        if inputs is not None and not isinstance(inputs, Mapping):
            listed = ", ".join(f"{name}=…" for name in sorted(self._names))
            raise InputError(
                f"inputs are given by name, as q({listed}), or as one mapping, not as a {type(inputs).__name__}"
            )
        given = {**inputs, **named} if inputs else named
        for name in named:
            if name not in self._names:
                listed = ", ".join(sorted(self._names)) or "none"
                raise InputError(f"this query was compiled without an input {name!r}; its inputs are: {listed}")
        if self._straight is not None and evidence is None:
            answers = self._straight.answers(given, self._environment, self._chosen)
            if answers is not None:
                return answers
        observed = self._observed(evidence) if evidence is not None else _NOTHING
        if self._reads_all:
            request = request_of(self._compiled, given, observed)
        else:
            told = {name: tensor for name, tensor in given.items() if name in self._names}
            request = request_of(self._compiled, told, observed, extra=False)
        return answer_one(request, self._environment, self._chosen)

    def __setstate__(self, state: dict[str, object]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        # A copy answers by its own modules, not by those of what it was copied from.
        self._environment = self._environment.with_modules(
            self.networks, self.distributions, self.embeddings, self.params
        )

    def extra_repr(self) -> str:
        """What ``print`` says of it."""
        return f"{len(self.terms)} answers, inputs: {', '.join(sorted(self._names)) or 'none'}"

    def _observed(self, evidence: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What tensors say, by the text of each atom: those that the query was compiled to wait for, and no others."""
        observed: dict[str, Tensor] = {}
        for text, value in checked_evidence(evidence).items():
            if not isinstance(value, Tensor):
                raise QueryError(
                    f"the evidence for {text} is a tensor here; True and False are compiled into the query"
                )
            term = text if text in self._awaited else str(parse_goal(text, "<evidence>"))
            if term not in self._awaited:
                listed = ", ".join(sorted(self._awaited)) or "none"
                raise QueryError(
                    f"this query was compiled without evidence for {term}, so that a tensor for it would count for "
                    f"nothing; compile it with evidence={{{term!r}: None}}. Tensors are awaited for: {listed}"
                )
            check_given_once([*observed, term])
            observed[term] = value
        return observed
