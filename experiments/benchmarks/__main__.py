"""All benchmarks by one command, in one table of what is compared with whom.

    python -m experiments.benchmarks
    python -m experiments.benchmarks circuits compilation
    python -m experiments.benchmarks --quick

Each suite can be run with settings of its own, too: ``python -m experiments.benchmarks.circuits --help``. The peers
come with the extra ``[bench]``; a suite that lacks one says so, and the others go on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from experiments.benchmarks import (
    circuits,
    compilation,
    counting,
    grounding,
    mnist_addition,
    number_addition,
    startup,
    structures,
)
from experiments.benchmarks.cases import quick_cases
from experiments.benchmarks.table import Measured, print_table, write
from experiments.datasets import data_root

SUITES: dict[str, Callable[[], Measured]] = {
    "mnist_addition": mnist_addition.suite,
    "number_addition": number_addition.suite,
    "circuits": circuits.suite,
    "grounding": grounding.suite,
    "compilation": compilation.suite,
    "counting": counting.suite,
    "structures": lambda: structures.suite(dask=True),
    "startup": startup.suite,
}
QUICK: dict[str, Callable[[], Measured]] = {
    "mnist_addition": lambda: mnist_addition.suite(
        (1, 2, 15), (32,), examples=640, repeats=3, deepproblog=64, with_accuracy=()
    ),
    "number_addition": lambda: number_addition.suite(examples=320, repeats=3, deepproblog=24),
    "circuits": lambda: circuits.suite(("chain 1", "chain 15", "naive sums", "grid 6"), repeats=7),
    "grounding": lambda: grounding.suite(("chain 15", "alarm", "random graph"), repeats=1),
    "compilation": lambda: compilation.suite(quick_cases(), seconds=20.0, problog_seconds=10.0),
    "counting": lambda: counting.suite((("count", 9, 2), ("count", 128, 2)), problog_seconds=10.0),
    "structures": lambda: structures.suite(count=100, repeats=1),
    "startup": lambda: startup.suite(repeats=3),
}


def main(
    suites: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(SUITES)}; all if none.")] = None,
    quick: Annotated[bool, typer.Option(help="Few cases and short rounds: some minutes, and rougher figures.")] = False,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/all.json"),
) -> None:
    """Measure, print one table of all comparisons, and write all figures."""
    chosen = suites or list(SUITES)
    for unknown in set(chosen) - set(SUITES):
        raise typer.BadParameter(f"there is no suite {unknown!r}; there are: {', '.join(SUITES)}")
    data_root()  # a folder that is not there is said now, not after the first suites
    found: dict[str, Measured] = {}
    failed = []
    for name in chosen:
        start = time.perf_counter()
        print(f"{name}:", flush=True)
        try:
            found[name] = (QUICK if quick else SUITES)[name]()
        except SystemExit as reason:  # a peer that is missing, or that computes something else
            print(f"{name}: {reason}", file=sys.stderr)
            failed.append(name)
        write(output, found)  # what was measured is kept, whatever comes next
        print(f"{name} took {time.perf_counter() - start:.0f} s\n", flush=True)
    print_table(found)
    print(f"\nwritten to {output}")
    if failed:
        raise SystemExit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    typer.run(main)
