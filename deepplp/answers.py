"""`Answers`: what a query came to."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, overload

import torch
from torch import Tensor

from deepplp.errors import TargetError
from deepplp.program import parse_goal

__all__ = ["Answers", "ManyAnswers"]


class Readings(Protocol):
    """What answers are read from: an evaluation, or one query's part of it."""

    @property
    def rows(self) -> int: ...
    @property
    def device(self) -> torch.device: ...
    def log_probs(self) -> Tensor: ...
    def probs(self) -> Tensor: ...
    def log_evidence(self) -> Tensor: ...
    def selected(self, queries: Tensor) -> Tensor: ...


class Answers:
    """What a query came to: ground answers, and for every row of the batch the probability of each.

    ``terms`` are n texts in the standard order of terms (numbers by value, then atoms by name, then compounds),
    ``log_probs`` and ``probs`` are [batch, n] and differentiable, the latter with right derivatives at 0 too.
    ``unanswered`` are the queries with free variables that have no answer at all. ``cut_mass`` says for each network
    with a ``k`` how much probability [batch] was cut from its outputs, at most; without a cut it is empty.
    """

    def __init__(self, structure: Any, evaluation: Readings, cut_mass: Mapping[str, Tensor] | None = None) -> None:
        self.terms = structure.terms
        self.unanswered = structure.unanswered
        self.cut_mass = dict(cut_mass or {})
        self._structure = structure
        self._evaluation = evaluation
        self._log_probs: Tensor | None = None
        self._probs: Tensor | None = None

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def log_probs(self) -> Tensor:
        """log P(answer | evidence), [batch, n]."""
        if self._log_probs is not None:
            return self._log_probs
        found = self._evaluation.log_probs()
        if torch.is_grad_enabled():  # what is read without gradients must not stay for those who want them
            self._log_probs = found
        return found

    @property
    def probs(self) -> Tensor:
        """P(answer | evidence), [batch, n]."""
        if self._probs is not None:
            return self._probs
        found = self._evaluation.probs()
        if torch.is_grad_enabled():  # what is read without gradients must not stay for those who want them
            self._probs = found
        return found

    @property
    def log_evidence(self) -> Tensor:
        """Log P(evidence), [batch]: the likelihood of what is known, to learn from; 0 where nothing is.

        Evidence that is a probability p counts as an observation that is p / (1 - p) times as likely where it holds.
        """
        return self._evaluation.log_evidence().squeeze(1)

    def log_prob(self, targets: Tensor | Sequence[str] | Sequence[int]) -> Tensor:
        """The log-probability [batch] of one answer a row: indices into ``terms`` [batch], or a list of terms.

        A probability of 0 gives -inf, whose gradient is taken to be 0.
        """
        rows = self._evaluation.rows
        if not isinstance(targets, Tensor):
            items = list(targets)
            if items and isinstance(items[0], str):
                items = [self._find(t) for t in items]
            try:
                targets = torch.as_tensor(items, dtype=torch.long)
            except (TypeError, ValueError, RuntimeError):
                raise TargetError("targets must be a tensor of answer indices, or a list of terms") from None
        if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
            raise TargetError(f"targets are indices of answers, so integers, not {targets.dtype}")
        if targets.shape != (rows,):
            raise TargetError(f"targets have shape {list(targets.shape)}; the batch needs [{rows}], one a row")
        indices = targets.detach().to(self._evaluation.device, torch.long)
        try:
            return self._evaluation.selected(indices)
        except IndexError as error:
            count = len(self.terms)
            raise TargetError(f"target {error} is no answer: there are {count}, counted from 0") from None

    def _find(self, term: Any) -> int:
        index = self._structure.index
        if isinstance(term, str):
            if term in index:
                return index[term]
            text = str(parse_goal(term, "<target>"))
            if text in index:
                return index[text]
        near = difflib.get_close_matches(str(term), self.terms, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise TargetError(f"{term!r} is not among the {len(self.terms)} answers{hint}")

    def __repr__(self) -> str:
        if self.probs.shape[0] == 1:
            shown = ", ".join(f"{t}: {p:.6g}" for t, p in zip(self.terms[:8], self.probs[0].tolist(), strict=False))
        else:
            shown = ", ".join(self.terms[:8])
        more = ", …" if len(self.terms) > 8 else ""
        return f"Answers(batch={self.probs.shape[0]}, {shown}{more})"


class ManyAnswers(Sequence[Answers]):
    """The `Answers` of several queries, in their order."""

    def __init__(self, answers: Sequence[Answers]) -> None:
        self._answers = tuple(answers)

    def __len__(self) -> int:
        return len(self._answers)

    @overload
    def __getitem__(self, index: int) -> Answers: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Answers]: ...
    def __getitem__(self, index: int | slice) -> Answers | Sequence[Answers]:
        return self._answers[index]

    def log_prob(self, targets: Sequence[str] | Sequence[int]) -> Tensor:
        """The log-probability [queries] of one answer a query: its term, or its index. Queries have one row each."""
        if len(targets) != len(self._answers):
            raise TargetError(f"there are {len(self._answers)} queries and {len(targets)} targets; give one a query")
        found = [a.log_prob([t]) for a, t in zip(self._answers, list[Any](targets), strict=True)]
        return torch.cat(found) if found else torch.zeros(0)
