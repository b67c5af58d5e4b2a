"""How long the command line takes for a small program, beside ProbLog's, each as a process of its own.

    python -m experiments.benchmarks.startup
    python -m experiments.benchmarks.startup --repeats 31

The programs are so small that loading Python's modules is all that counts. Both read them from a file and print the
same lines, which is checked. ``import deepplp`` is timed beside ``import numpy``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from experiments.benchmarks.table import Comparison, Measured, report, show
from experiments.benchmarks.timing import median_seconds

PROGRAMS = {
    "two coins": "0.4::heads(C) :- coin(C).\ncoin(c1). coin(c2).\nwin :- heads(c1), heads(c2).\nquery(win).\n",
    "alarm": (
        "0.7::burglary. 0.2::earthquake.\n0.9::alarm :- burglary, earthquake.\n0.8::alarm :- burglary, \\+earthquake.\n"
        "0.1::alarm :- \\+burglary, earthquake.\nevidence(alarm, true).\nquery(burglary). query(earthquake).\n"
    ),
    "a path": "0.6::e(1,2). 0.1::e(1,3). 0.4::e(2,3).\np(X,Y) :- e(X,Y).\np(X,Y) :- e(X,Z), p(Z,Y).\nquery(p(1,3)).\n",
}
TARGET = 1 / 2.5  # of ProbLog's time


def output(*command: str) -> dict[str, float]:
    """The probabilities that a command prints."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    lines = (line.rsplit(":", 1) for line in done.stdout.splitlines() if ":" in line)
    return {name.strip(): float(value) for name, value in lines}


def suite(repeats: int = 11) -> Measured:
    """Measure all programs, and the import."""
    found = Measured()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in PROGRAMS.items():
            path = Path(folder) / "program.pl"
            path.write_text(text)
            ours, theirs = ("-m", "deepplp", "prob", str(path)), ("-m", "problog", str(path))
            seconds = _seconds({"deepplp": ours, "ProbLog": theirs}, repeats)
            mine, expected = output(*ours), output(*theirs)
            if {n: round(p, 6) for n, p in mine.items()} != {n: round(p, 6) for n, p in expected.items()}:
                raise SystemExit(f"{name}: deepplp prints {mine}, ProbLog {expected}")
            found.details.append({"case": name, **{f"{n} (s)": s for n, s in seconds.items()}})
            case = f"command line, {name}"
            found.comparisons.append(
                Comparison(case, "s", seconds["deepplp"], "ProbLog", seconds["ProbLog"], target=TARGET)
            )
            show(found.details[-1])
    seconds = _seconds({"deepplp": ("-c", "import deepplp"), "numpy": ("-c", "import numpy")}, repeats)
    found.details.append({"case": "import", **{f"{n} (s)": s for n, s in seconds.items()}})
    found.comparisons.append(Comparison("import deepplp", "s", seconds["deepplp"], "import numpy", seconds["numpy"]))
    show(found.details[-1])
    return found


def _seconds(commands: dict[str, tuple[str, ...]], repeats: int) -> dict[str, float]:
    return median_seconds({n: lambda c=c: output(*c) for n, c in commands.items()}, repeats, warmup=1)  # type: ignore[misc]


def main(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 11,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/startup.json"),
) -> None:
    """Measure and print."""
    report(output, {"startup": suite(repeats)})


if __name__ == "__main__":
    typer.run(main)
