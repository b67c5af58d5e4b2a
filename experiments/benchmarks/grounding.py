"""Grounding: the tabled engine and ProbLog's, on the same queries, in turns.

    python -m experiments.benchmarks.grounding
    python -m experiments.benchmarks.grounding --case water --repeats 9

CPU seconds from a loaded program to its ground program, the medians of rounds in which the engines take turns; every
round loads the program anew, so that nothing is translated yet, and does not count that. The Bayesian networks are
asked for all marginals.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deepplp.grounding import Grounder
from deepplp.program import Program, parse_goal
from experiments.benchmarks.cases import Case, chain, network_case
from experiments.benchmarks.networks import load_network
from experiments.benchmarks.structures import PROGRAM, graphs
from experiments.benchmarks.table import Comparison, Measured, report, show
from experiments.datasets import find_data
from experiments.training import PROGRAMS

ENGINES: dict[str, Literal["tabled", "problog"]] = {"tabled (s)": "tabled", "ProbLog's engine (s)": "problog"}


def story(sentences: int) -> Case:
    """The kinship of the first and the last of a chain of people, each related to the next by a sentence."""
    pairs = range(1, sentences + 1)
    facts = " ".join(f"about(s{i}, p{i - 1}, p{i}). gender(p{i}, male)." for i in pairs)
    text = f"{(PROGRAMS / 'clutrr.pl').read_text()} {facts}"
    return Case(f"story of {sentences} sentences", text, (f"related(p0, p{sentences}, W)",))


def cases() -> Iterator[Case]:
    """All cases, the networks only where ``DEEPPLP_DATA`` has them."""
    yield chain(15)
    yield chain(60)
    for name in ("alarm", "hepar2", "pigs", "water") if find_data("bif") is not None else ():
        yield network_case(name, load_network(name), {})
    yield Case("formulas of 5 symbols", (PROGRAMS / "hwf.pl").read_text(), ("formula([a, b, c, d, e], V)",))
    yield story(8)
    yield Case("random graph", f"{PROGRAM} {graphs(1, seed=0)[0].facts}", ("path(0, X)",))


def measure(case: Case, repeats: int) -> dict[str, Any]:
    """The CPU seconds of both engines, and the size of what the tabled one makes."""
    program, goals = Program.from_string(case.text), [parse_goal(q) for q in case.queries]
    seconds: dict[str, list[float]] = {name: [] for name in ENGINES}
    nodes = 0
    for turn in range(repeats):
        for name in list(ENGINES) if turn % 2 == 0 else reversed(ENGINES):
            grounder = Grounder(program, grounder=ENGINES[name])
            start = time.process_time()
            formula = grounder.ground(goals)
            seconds[name].append(time.process_time() - start)
            nodes = len(formula.nodes)
    return {"case": case.name, **{n: statistics.median(s) for n, s in seconds.items()}, "nodes": nodes}


def suite(names: Sequence[str] = (), repeats: int = 3) -> Measured:
    """Measure the cases of these names, all if there are none."""
    found = Measured()
    for case in cases():
        if names and case.name not in names:
            continue
        row = measure(case, repeats)
        show(row)
        ours, theirs = (row[name] for name in ENGINES)
        found.details.append(row)
        found.comparisons.append(Comparison(f"grounding {case.name}", "s", ours, "ProbLog's engine", theirs))
    return found


def main(
    case: Annotated[list[str] | None, typer.Option(help="Only cases of these names.")] = None,
    repeats: Annotated[int, typer.Option()] = 3,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/grounding.json"),
) -> None:
    """Measure, and write the figures."""
    report(output, {"grounding": suite(case or (), repeats)})


if __name__ == "__main__":
    typer.run(main)
