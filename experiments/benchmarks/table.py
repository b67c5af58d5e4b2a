"""The one table of all benchmarks: ours beside a peer's figure of the same run, their ratio, and whether it suffices.

A row is a `Comparison`: case, deepplp, peer, peer's figure, ratio, target met.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from experiments.benchmarks.timing import machine

__all__ = [
    "COLUMNS", "LARGEST_ERROR", "Bounded", "Comparison", "Measured", "line", "missing", "print_table", "report", "show",
    "table", "write",
]  # fmt: skip

COLUMNS = ("case", "deepplp", "peer", "peer's figure", "ratio", "target met")
Bounded = Literal["", "deepplp", "peer", "both"]
LARGEST_ERROR = 1e-8  # what our probabilities may differ from an exact oracle's


@dataclass(frozen=True)
class Comparison:
    """One thing measured with deepplp and with a peer in one run.

    ``deepplp`` and ``figure`` are in ``unit``: seconds, milliseconds, or a rate. Who did not answer in time has its
    time-out as its figure and is ``bounded``; who failed otherwise has no figure. ``target`` is what the ratio must
    reach, ``error`` the largest difference of our results from the peer's.
    """

    case: str
    unit: Literal["s", "ms", "/s"]
    deepplp: float
    peer: str
    figure: float | None
    target: float | None = None
    error: float | None = None
    bounded: Bounded = ""

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the peer; with a bounded figure, what the ratio is above (or below, if ours)."""
        if self.figure is None or self.bounded == "both":
            return None
        return self.deepplp / self.figure if self.unit == "/s" else self.figure / self.deepplp

    @property
    def met(self) -> bool | None:
        """Whether the ratio reaches its target and the error is small; None where nothing is asked, or known."""
        if self.error is not None and not self.error <= LARGEST_ERROR:
            return False
        if self.target is None:
            return None if self.error is None else True
        if self.ratio is None:
            return None
        reached = self.ratio >= self.target
        if (self.bounded == "peer" and not reached) or (self.bounded == "deepplp" and reached):
            return None  # the bound lies on the wrong side to tell
        return reached

    def cells(self) -> tuple[str, ...]:
        """The cells of the table's row."""
        ours = ">" if self.bounded in ("deepplp", "both") else ""
        theirs = ">" if self.bounded in ("peer", "both") else ""
        sign = {"deepplp": "<", "peer": ">"}.get(self.bounded, "")
        return (
            self.case,
            _figure(self.deepplp, self.unit, ours),
            self.peer,
            _figure(self.figure, self.unit, theirs),
            "-" if self.ratio is None else _signed(sign, _number(self.ratio)),
            self._verdict(),
        )

    def _verdict(self) -> str:
        asked = [] if self.target is None else [f"≥ {_number(self.target)}"]
        if self.error is not None:
            asked.append(f"error {self.error:.0e}" if self.error else "error 0")
        verdict = {True: "yes", False: "no", None: "-"}[self.met]
        return f"{verdict} ({', '.join(asked)})" if asked else verdict


@dataclass
class Measured:
    """What a suite found: figures as they were measured, one mapping a case, and the comparisons drawn from them."""

    details: list[dict[str, Any]] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)


def _figure(value: float | None, unit: str, sign: str) -> str:
    return "-" if value is None else f"{_signed(sign, _number(value))} {unit}"


def _signed(sign: str, text: str) -> str:
    return f"{sign} {text}" if sign else text


def _number(value: float) -> str:
    """Three digits, whole above a hundred."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def line(cells: Iterable[object]) -> str:
    """One row of a table in Markdown."""
    return f"| {' | '.join(str(c) for c in cells)} |"


def table(comparisons: Iterable[Comparison]) -> str:
    """The whole table."""
    return "\n".join([line(COLUMNS), "|---|---:|---|---:|---:|---|", *(line(c.cells()) for c in comparisons)])


def show(row: Mapping[str, object]) -> None:
    """Print the figures of one case, as soon as they are known."""
    print(", ".join(f"{k}: {v:.4g}" if isinstance(v, float) else f"{k}: {v}" for k, v in row.items()), flush=True)


def missing(peer: str, error: ImportError) -> SystemExit:
    """What to do about a peer that is not there."""
    return SystemExit(f"{peer} is not installed ({error}); install it with: pip install 'deepplp[bench]'")


def write(path: Path, suites: Mapping[str, Measured]) -> None:
    """Write all figures, with the date and the machine that they were measured on."""
    record = {
        "machine": machine(),
        "comparisons": [
            {"suite": name, **asdict(c), "ratio": c.ratio, "met": c.met}
            for name, found in suites.items()
            for c in found.comparisons
        ],
        "details": {name: found.details for name, found in suites.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")


def print_table(suites: Mapping[str, Measured]) -> None:
    """Print the date, the machine, and the table of all suites."""
    print("\n" + ", ".join(f"{k}: {v}" for k, v in machine().items()) + "\n")
    print(table(c for found in suites.values() for c in found.comparisons), flush=True)


def report(path: Path, suites: Mapping[str, Measured]) -> None:
    """Print the table and write all figures."""
    write(path, suites)
    print_table(suites)
    print(f"\nwritten to {path}")
