"""What compilation tried, how it went, and why the circuit is the one that it is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Attempt", "CompilationReport"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order tried: ``outcome`` is "compiled" (or "compiled by PySDD"), or what stopped it.

    ``nodes`` and ``elements`` are the circuit's where there is one; else ``nodes`` is how many the diagram held.
    ``steps`` counts elements looked at, or for PySDD nodes made. Steps are the same in every process, ``seconds`` are
    not.
    """

    order: str
    outcome: str
    nodes: int
    elements: int
    steps: int
    seconds: float

    @property
    def compiled(self) -> bool:
        """Whether there is a circuit."""
        return self.outcome.startswith("compiled")


@dataclass(frozen=True, slots=True)
class CompilationReport:
    """All attempts in the order in which they were made, the order that won, and why.

    ``choices`` is that order: indices of the formula's choices, first to last. ``names`` are their texts.
    """

    attempts: tuple[Attempt, ...]
    winner: str
    reason: str
    choices: tuple[int, ...]
    names: tuple[str, ...]

    def __str__(self) -> str:
        """A table with a line for every attempt, and the reason."""
        lines = [f"{'order':<16} {'nodes':>10} {'elements':>10} {'steps':>12} {'seconds':>9}  outcome"]
        lines += [
            f"{a.order:<16} {a.nodes:>10,} {a.elements:>10,} {a.steps:>12,} {a.seconds:>9.3f}  {a.outcome}"
            for a in self.attempts
        ]
        return "\n".join([*lines, f"{self.winner}: {self.reason}"])
