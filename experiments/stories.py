"""What the experiments on CLUTRR share: the rows of its files, and accuracies by the length of stories."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

__all__ = ["accuracies", "as_atom", "read_rows"]

Story = TypeVar("Story")


def read_rows(file: Path, limit: int) -> list[dict[str, str]]:
    """The stories of a file as it has them, at most ``limit`` of them if that is not 0."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return rows[: limit or None]


def as_atom(word: str) -> str:
    """A relation as programs write it."""
    return f"'{word}'" if "-" in word else word


def accuracies(test: Mapping[int, Sequence[Story]], accuracy: Callable[[Sequence[Story]], float]) -> dict[str, float]:
    """The accuracy on all test stories, and on those of each length."""
    found = {n: accuracy(stories) for n, stories in test.items()}
    total = sum(found[n] * len(stories) for n, stories in test.items()) / sum(map(len, test.values()))
    return {"word_accuracy": total, **{f"word_accuracy_{n}": value for n, value in found.items()}}
