"""What is said of evidence that cannot hold."""

from __future__ import annotations

from collections.abc import Iterable

from deepplp.program import Term

__all__ = ["contradiction", "nothing_follows"]


def contradiction(evidence: Iterable[Term]) -> str:
    """No world satisfies the evidence, whatever the weights."""
    return f"the evidence {', '.join(map(str, evidence))} contradicts the program: no world satisfies it"


def nothing_follows(where: str = "the evidence has probability 0") -> str:
    """The evidence has probability 0 by its weights."""
    return f"{where}, so nothing follows from it; check it against the program and the networks' outputs"
