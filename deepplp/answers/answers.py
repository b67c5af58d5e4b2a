"""`Answers`: what a query came to."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, TypeVar, overload

import torch
from torch import Tensor

from deepplp.answers.printing import as_html, as_text
from deepplp.answers.readings import KeptReadings, Readings, kept
from deepplp.answers.targets import Impossible, Targets, impossible_rows, indices_of, numbered, raise_impossible
from deepplp.answers.terms import AnswerTerms
from deepplp.errors import InconsistentEvidenceError, ProgramSyntaxError, QueryError, TargetError
from deepplp.program import Term

__all__ = ["Answers"]

Default = TypeVar("Default")

_NOTHING_CUT: Mapping[str, Tensor] = MappingProxyType({})


class Answers(Mapping[str, Tensor]):
    """What a query came to: ground answers, and for every row of the batch the probability of each.

    ``answers["win(a, b)"]`` is the probability [batch] of one answer, differentiable; the term may be spelt in any way,
    or be a `Term`. Answers are a mapping: iteration, ``keys()``, ``values()``, ``items()``, ``in`` and ``get`` go by
    ``terms``, n texts in the standard order of terms (numbers by value, then atoms by name, then compounds). Two
    `Answers` are equal where they are the same object.

    ``log_probs`` and ``probs`` are [batch, n] and differentiable, the latter with right derivatives at 0 too; all
    results have one dtype. ``unanswered`` are the queries with free variables that have no answer at all. ``cut_mass``
    says for each network with a ``k`` how much probability [batch] was cut from its outputs, at most; without a cut it
    is empty. Where something was cut, probabilities are lower bounds: ``lower`` and ``upper`` [batch, n] are the bounds
    between which P(answer | evidence) lies, and ``log_evidence`` is a lower bound, too.

    Pickles and deep copies hold the numbers alone, without gradients, circuit and model; ``copy.copy`` keeps them.
    """

    __slots__ = ("__weakref__", "_made", "_readings", "_terms", "cut_mass")

    def __init__(self, terms: AnswerTerms, readings: Readings, cut_mass: Mapping[str, Tensor] = _NOTHING_CUT) -> None:
        self._terms = terms
        self._readings = readings
        self._made: dict[tuple[str, bool, bool], Tensor] = {}
        self.cut_mass = cut_mass

    @property
    def terms(self) -> tuple[str, ...]:
        """The n answers as text, in their order."""
        return self._terms.texts

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The queries with free variables that have no answer, as text."""
        return self._terms.unanswered_texts

    def __len__(self) -> int:
        return len(self._terms)

    def __iter__(self) -> Iterator[str]:
        return iter(self._terms.texts)

    def __contains__(self, term: object) -> bool:
        try:
            return self._terms.find(term) is not None
        except ProgramSyntaxError:
            return False

    def __getitem__(self, term: str | Term) -> Tensor:
        """P(term | evidence), [batch]. A term that is no answer is an `UnknownAnswerError`, which is a KeyError."""
        return self.probs.select(1, self._terms.number(term))

    @overload
    def get(self, term: str | Term, /) -> Tensor | None: ...
    @overload
    def get(self, term: str | Term, /, default: Tensor | Default) -> Tensor | Default: ...
    def get(self, term: str | Term, /, default: object = None) -> object:
        """P(term | evidence), [batch], or the default where the term is no answer."""
        number = self._terms.find(term)
        return default if number is None else self.probs.select(1, number)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def log_probs(self) -> Tensor:
        """log P(answer | evidence), [batch, n]."""
        return self._reading("log_probs")

    @property
    def probs(self) -> Tensor:
        """P(answer | evidence), [batch, n]."""
        return self._reading("probs")

    @property
    def lower(self) -> Tensor:
        """The largest known lower bound of P(answer | evidence), [batch, n]: the same as `probs`."""
        return self.probs

    @property
    def upper(self) -> Tensor:
        """The least known upper bound of P(answer | evidence), [batch, n]: `probs`, unless a network's ``k`` cut some.

        The mass of all worlds with a value that was cut counts for the answer here, and against it in `lower`.
        """
        return self._reading("upper_probs")

    def _reading(self, kind: Literal["log_probs", "probs", "upper_probs"]) -> Tensor:
        """A reading, taken once: with gradients, without them, and in inference mode each by itself."""
        key = kind, torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = getattr(self._readings, kind)()
        return found

    @property
    def log_evidence(self) -> Tensor:
        """Log P(evidence), [batch]: the likelihood of what is known, to learn from; 0 where nothing is.

        Evidence that is a probability p counts as an observation that is p / (1 - p) times as likely where it holds.
        """
        return self._readings.log_evidence().squeeze(1)

    def log_prob(self, targets: Targets, impossible: Impossible = "error") -> Tensor:
        """The log-probability [batch] of one answer a row.

        ``targets`` are indices into ``terms`` [batch], a list of terms, one a row, or one term for all rows. A
        probability that happens to be 0 gives -inf, whose gradient is taken to be 0.

        A target that cannot be proved is another matter: it holds in no world, whatever the networks say, so nothing
        can be learnt from it. It is an `ImpossibleTargetError`. With ``impossible="ignore"`` it gives -inf with a
        gradient of 0, and ``backward()`` works even where nothing else is left to learn from. A term that is no answer
        but an instance of the query is such a target, too; any other is an `UnknownAnswerError`, always.

        Raises: `TargetError` and its leaves.
        """
        if impossible not in ("error", "ignore"):
            raise QueryError(f"impossible is 'error' or 'ignore', not {impossible!r}")
        readings = self._readings
        given, ignored = indices_of(targets, self._terms, readings.rows, impossible)
        indices = given.to(readings.device, torch.long)
        found = self._ignoring(indices, ignored) if ignored else self._selected(indices)
        hopeless = impossible_rows(self._terms, indices)
        if hopeless and impossible == "error":
            where = f" of {numbered('row', 'rows', hopeless)}" if readings.rows > 1 else ""
            chosen = indices.tolist()
            raise_impossible(hopeless, [self.terms[chosen[row]] for row in hopeless], where)
        if not found.requires_grad and torch.is_grad_enabled() and bool(torch.isneginf(found).any()):
            found = found + found.new_zeros((), requires_grad=True)  # so that backward() works, and reaches nothing
        return found

    def _selected(self, indices: Tensor) -> Tensor:
        try:
            return self._readings.selected(indices)
        except IndexError as error:
            raise TargetError(f"target {error} is no answer: there are {len(self)}, counted from 0") from None

    def _ignoring(self, indices: Tensor, rows: list[int]) -> Tensor:
        """The log-probabilities [batch] with -inf, whose gradient is 0, in the rows whose target is no answer."""
        if not len(self):
            return self.log_probs.new_full((self._readings.rows,), -torch.inf)
        found = self._selected(indices)
        return found.index_fill(0, torch.tensor(rows, device=found.device), -torch.inf)

    def argmax(self) -> list[str]:
        """The most probable answer of each row; the first of several that are equally probable.

        Rows in which all probabilities underflow are decided by their logarithms. A row of NaN, whose evidence has
        probability 0, is an `InconsistentEvidenceError`; without answers none is most probable, a `QueryError`.
        """
        if not len(self) and self._readings.rows:
            raise QueryError("there are no answers, so none is most probable")
        if not self._readings.rows:
            return []
        with torch.no_grad():
            probs = self.probs
            largest, best = probs.amax(dim=1), probs.argmax(dim=1)
            undefined = torch.isnan(largest)
            if bool(undefined.any()):
                rows = undefined.nonzero().flatten().tolist()
                raise InconsistentEvidenceError(
                    f"no answer is most probable where the evidence has probability 0: {numbered('row', 'rows', rows)}",
                    rows=tuple(rows),
                )
            tiny = largest < torch.finfo(probs.dtype).tiny
            if bool(tiny.any()):
                best = torch.where(tiny, self.log_probs.argmax(dim=1), best)
        return [self.terms[i] for i in best.tolist()]

    def to_dict(self, row: int | None = None) -> dict[str, float]:
        """The probabilities of one row by term, as numbers. A batch of more than one row needs the row's number."""
        rows = self._readings.rows
        if row is None and rows != 1:
            raise QueryError(f"the batch has {rows} rows; say which one, counted from 0: answers.to_dict(row)")
        try:
            number = 0 if row is None else operator.index(row)
        except TypeError:
            raise QueryError(f"a row is its number, counted from 0, not {row!r}") from None
        if not 0 <= number < rows:
            raise QueryError(f"there is no row {number}: the batch has {rows}, counted from 0")
        with torch.no_grad():
            return dict(zip(self.terms, self.probs[number].tolist(), strict=True))

    def __repr__(self) -> str:
        with torch.no_grad():
            return as_text(self.terms, self.probs)

    def _repr_html_(self) -> str:
        with torch.no_grad():
            return as_html(self.terms, self.probs)

    def __copy__(self) -> Answers:
        return Answers(self._terms, self._readings, self.cut_mass)

    def __deepcopy__(self, memo: dict[int, object]) -> Answers:
        return Answers(*self._kept())

    def __reduce__(self) -> tuple[object, ...]:
        return Answers, self._kept()

    def _kept(self) -> tuple[AnswerTerms, KeptReadings, dict[str, Tensor]]:
        """What a copy is made of: numbers without gradients, that share no memory with these."""
        with torch.inference_mode(False), torch.no_grad():
            cut = {network: kept(mass) for network, mass in self.cut_mass.items()}
        return self._terms, KeptReadings.of(self._readings), cut
