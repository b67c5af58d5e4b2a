"""`ManyAnswers`: what several queries came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor

from deepplp.answers.answers import Answers
from deepplp.answers.targets import Impossible, numbered, raise_impossible
from deepplp.errors import ImpossibleTargetError, InconsistentEvidenceError, QueryError, TargetError
from deepplp.program import Term

__all__ = ["ManyAnswers"]

_SHOWN = 5


class ManyAnswers(Sequence[Answers]):
    """The `Answers` of several queries, in their order; a slice is `ManyAnswers`, too.

    Pickles and deep copies hold the numbers alone, as those of `Answers` do.
    """

    __slots__ = ("_answers",)

    def __init__(self, answers: Sequence[Answers]) -> None:
        self._answers = tuple(answers)

    def __len__(self) -> int:
        return len(self._answers)

    @overload
    def __getitem__(self, index: int) -> Answers: ...
    @overload
    def __getitem__(self, index: slice) -> ManyAnswers: ...
    def __getitem__(self, index: int | slice) -> Answers | ManyAnswers:
        return ManyAnswers(self._answers[index]) if isinstance(index, slice) else self._answers[index]

    def log_prob(
        self, targets: Tensor | Sequence[str | Term] | Sequence[int], impossible: Impossible = "error"
    ) -> Tensor:
        """The log-probability [queries] of one answer a query: its term, or its index. Queries have one row each.

        Targets that cannot be proved, and ``impossible``: see `Answers.log_prob`. Errors name the queries by number,
        which are also the error's ``rows``.
        """
        if len(targets) != len(self._answers):
            raise TargetError(f"there are {len(self._answers)} queries and {len(targets)} targets; give one a query")
        found: list[Tensor] = []
        hopeless: list[tuple[int, str]] = []
        for number, (answers, target) in enumerate(zip(self._answers, targets, strict=True)):
            try:
                found.append(answers.log_prob([target], impossible))
            except ImpossibleTargetError as error:
                hopeless.append((number, error.terms[0]))
            except TargetError as error:
                raise type(error)(f"query {number}: {error.message}") from None
        if hopeless:
            numbers = [number for number, _ in hopeless]
            raise_impossible(numbers, [term for _, term in hopeless], f" of {numbered('query', 'queries', numbers)}")
        return torch.cat(found) if found else torch.zeros(0, dtype=torch.float64)

    def argmax(self) -> list[str]:
        """The most probable answer of each query, as `Answers.argmax` finds it. Queries have one row each.

        Errors name the queries by number.
        """
        found: list[str] = []
        for number, answers in enumerate(self._answers):
            try:
                best = answers.argmax()
            except (InconsistentEvidenceError, QueryError) as error:
                raise type(error)(f"query {number}: {error.message}") from None
            if len(best) != 1:
                raise QueryError(f"query {number} has {len(best)} rows; ask it alone: answers[{number}].argmax()")
            found += best
        return found

    def __repr__(self) -> str:
        count = f"{len(self)} quer{'y' if len(self) == 1 else 'ies'}"
        lines = [f"ManyAnswers({count})"]
        for number, answers in enumerate(self._answers[:_SHOWN]):
            lines.append(f"{number}: " + repr(answers).replace("\n", "\n   "))
        return "\n".join([*lines, *(["…"] if len(self) > _SHOWN else [])])
