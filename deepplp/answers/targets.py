"""Targets: which answer is meant in each row, and what is said of those that no world proves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NoReturn, TypeAlias

import numpy as np
import torch
from torch import Tensor

from deepplp.answers.terms import AnswerTerms
from deepplp.errors import ImpossibleTargetError, TargetError
from deepplp.program import Term

__all__ = [
    "Impossible",
    "Targets",
    "impossible_rows",
    "indices_of",
    "listed",
    "numbered",
    "raise_impossible",
]

Targets: TypeAlias = Tensor | str | Term | Sequence[str | Term] | Sequence[int]
Impossible: TypeAlias = Literal["error", "ignore"]

_INTEGERS = frozenset({torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8})

_ADVICE = (
    "in no world, whatever the networks say, so nothing can be learnt from {0}; check {0} against the program and the "
    "evidence, or pass impossible='ignore' for -inf with a gradient of zero"
)


def indices_of(targets: Targets, terms: AnswerTerms, rows: int, impossible: Impossible) -> tuple[Tensor, list[int]]:
    """Targets as integers [batch], of any range, and the rows whose term is no answer and is ignored.

    The latter have index 0. One term stands for all ``rows``. Raises `TargetError` and its leaves.
    """
    ignored: list[int] = []
    if isinstance(targets, Tensor):
        indices = targets
    elif isinstance(targets, (str, Term)):
        number = _number(targets, terms, impossible)
        indices = torch.full((rows,), number or 0)
        ignored = list(range(rows)) if number is None else []
    else:
        indices, ignored = _of_list(targets, terms, impossible)
    if indices.dtype not in _INTEGERS:
        raise TargetError(f"targets are indices of answers, so integers, not {indices.dtype}")
    if indices.shape != (rows,):
        raise TargetError(f"targets have shape {list(indices.shape)}; the batch needs [{rows}], one a row")
    return indices, ignored


def _of_list(
    targets: Sequence[str | Term] | Sequence[int], terms: AnswerTerms, impossible: Impossible
) -> tuple[Tensor, list[int]]:
    try:
        items = list(targets)
        if not any(isinstance(item, (str, Term)) for item in items):
            return torch.as_tensor(items, dtype=None if items else torch.long), []
    except (TypeError, ValueError, RuntimeError):
        raise TargetError("targets must be a tensor of answer indices, or a list of terms") from None
    numbers = [_number(item, terms, impossible) for item in items]
    ignored = [row for row, number in enumerate(numbers) if number is None]
    return torch.from_numpy(np.array([number or 0 for number in numbers], dtype=np.int64)), ignored


def _number(term: object, terms: AnswerTerms, impossible: Impossible) -> int | None:
    """The index of a term; None for one that has no proof, where such are ignored."""
    found = terms.find(term)
    if found is None and impossible == "ignore" and isinstance(term, (str, Term)) and terms.has_no_proof(term):
        return None
    return terms.number(term) if found is None else found


def impossible_rows(terms: AnswerTerms, indices: Tensor) -> list[int]:
    """The rows whose target, by its index [batch], holds in no world."""
    if terms.impossible is None or not terms.any_impossible:
        return []
    rows: list[int] = np.flatnonzero(terms.impossible[indices.cpu().numpy()]).tolist()
    return rows


def raise_impossible(rows: Sequence[int], terms: Sequence[str], where: str) -> NoReturn:
    """Say which targets hold in no world; ``where`` names the rows of a batch, or the queries, and may be empty."""
    distinct = tuple(dict.fromkeys(terms))
    subject, verb, pronoun = ("targets", "hold", "them") if distinct[1:] else ("target", "holds", "it")
    message = f"the {subject} {listed(distinct, 3)}{where} {verb} {_ADVICE.format(pronoun)}"
    raise ImpossibleTargetError(message, rows=tuple(rows), terms=tuple(terms))


def numbered(one: str, several: str, numbers: Sequence[int]) -> str:
    """A noun with its numbers: ``row 3`` or ``rows 3, 4``."""
    return f"{several if numbers[1:] else one} {listed(numbers)}"


def listed(items: Sequence[object], most: int = 10) -> str:
    """The first items, and how many there are where they are more."""
    shown = ", ".join(map(str, items[:most]))
    return shown if len(items) <= most else f"{shown}, … ({len(items)} in all)"
