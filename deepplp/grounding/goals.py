"""What grounding a sequence of goals gives, whichever engine does it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from deepplp.grounding.clause_base import ClauseBase
from deepplp.grounding.target import GroundWriter, Key
from deepplp.program import Term

__all__ = ["GoalAnswers", "GroundGoals"]

GoalAnswers: TypeAlias = list[tuple[tuple[Term | int | None, ...], Key]]
"""The provable instances of a goal: its arguments, and the key of the node that says when it holds.

An integer or None is a variable.
"""


@dataclass(frozen=True, slots=True)
class GroundGoals:
    """Goals that were ground together, in one ground program.

    ``clauses`` are those that its atoms speak of, and ``inputs`` the names of tensors. An answer that holds a variable
    is certain.
    """

    target: GroundWriter
    clauses: ClauseBase
    answers: list[GoalAnswers]
    inputs: Collection[str] = frozenset()
