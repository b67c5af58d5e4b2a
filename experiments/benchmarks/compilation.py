"""Grounding and compilation: Bayesian networks, carry chains, grids, cyclic graphs, smokers; ProbLog and pgmpy beside.

    python -m experiments.benchmarks.compilation
    python -m experiments.benchmarks.compilation --case alarm --case "grid 6" --problog-seconds 60

One line a case: our seconds for grounding, compiling and answering, the circuit's size, the order that won, ProbLog's
own default pipeline (in a process of its own, stopped after ``--problog-seconds``), and pgmpy's variable elimination.
The *first answer* is a new model's, from the text on; *again* is the same query once more, of a circuit that is there.
The Bayesian networks are asked for all marginals, without evidence and with the last two variables without children
observed, and must agree with pgmpy to within 1e-8; all other cases must agree with ProbLog where it answers.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import deepplp
from deepplp.compilation import compile_with_report
from deepplp.errors import BudgetExceededError
from deepplp.grounding import Grounder
from deepplp.program import parse_goal
from experiments.benchmarks.cases import Case, cases
from experiments.benchmarks.networks import PgmpyOracle
from experiments.benchmarks.table import Bounded, Comparison, Measured, line, report
from experiments.benchmarks.timing import median_seconds

FIRST, AGAIN = "first answer (s)", "again (ms)"
PGMPY, PGMPY_AGAIN = "pgmpy (s)", "pgmpy again (ms)"
PROBLOG, TIMEOUT = "ProbLog (s)", "ProbLog's time-out (s)"
_PROBLOG = """
import json, sys, time
from problog import get_evaluatable
from problog.program import PrologString

text = sys.stdin.read()
start = time.perf_counter()
result = get_evaluatable().create_from(PrologString(text)).evaluate()
print(json.dumps([time.perf_counter() - start, {str(k): v for k, v in result.items()}]))
"""


def ours(case: Case, seconds: float) -> dict[str, Any]:
    """The figures of grounding and compiling; without those of the circuit, where it was not reached in time."""
    row: dict[str, Any] = {"case": case.name, "budget (s)": seconds}
    start = time.perf_counter()
    program = deepplp.Program.from_string(case.text)
    goals = [parse_goal(q) for q in case.queries]
    formula = Grounder(program).ground(goals, [(parse_goal(t), v) for t, v in case.evidence.items()])
    row["ground (s)"] = time.perf_counter() - start
    start = time.perf_counter()
    try:
        circuit, made = compile_with_report(formula, budget=deepplp.CompileBudget(seconds))
    except BudgetExceededError:
        return row
    row |= {"compile (s)": time.perf_counter() - start, "nodes": circuit.nodes, "elements": circuit.elements}
    return row | {"order": made.winner}


def asker(case: Case, seconds: float) -> Callable[[], dict[str, float]]:
    """What asks a new model for a case's probabilities."""
    budget = deepplp.CompileBudget(seconds)
    model = deepplp.Model(deepplp.Program.from_string(case.text), cache=False, budget=budget)

    def ask() -> dict[str, float]:
        answers = model.query(list(case.queries), evidence=case.evidence)
        return dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))

    return ask


def problog(case: Case, seconds: float) -> dict[str, Any]:
    """ProbLog's seconds and its probabilities, or that it was stopped, or failed."""
    lines = [case.text, *(f"evidence({t}, {str(v).lower()})." for t, v in case.evidence.items())]
    text = "\n".join([*lines, *(f"query({q})." for q in case.queries)])
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBLOG], input=text, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return {"outcome": "stopped"}
    if done.returncode:
        return {"outcome": "failed"}
    taken, found = json.loads(done.stdout.splitlines()[-1])
    return {"outcome": "answered", "seconds": float(taken), "probabilities": found}


def largest_difference(found: Mapping[str, float], expected: Mapping[str, float]) -> float:
    """Between probabilities of the same atoms; ProbLog writes spaces and quotes in other places than we do."""
    by_text = {_plain(t): p for t, p in expected.items()}
    return max((abs(p - by_text[_plain(t)]) for t, p in found.items()), default=0.0)


def _plain(term: str) -> str:
    return term.replace(" ", "").replace("'", "")


def measure(case: Case, seconds: float, problog_seconds: float) -> dict[str, Any]:
    """The figures of one case."""
    row = ours(case, seconds)
    found, expected = None, None
    askers: dict[str, Callable[[], dict[str, float]]] = {}
    if case.problog and "nodes" in row:
        start = time.perf_counter()
        ask = asker(case, seconds)
        with contextlib.suppress(BudgetExceededError):  # what was just in time above may be late here
            found = ask()
            row[FIRST] = time.perf_counter() - start
            askers[AGAIN] = ask
    if case.network is not None:
        start = time.perf_counter()
        oracle = PgmpyOracle(case.network)
        askers[PGMPY_AGAIN] = lambda: oracle.marginals(case.observed)
        expected = askers[PGMPY_AGAIN]()
        row[PGMPY] = time.perf_counter() - start
    if askers:
        row |= {name: 1000 * s for name, s in median_seconds(askers, 5, warmup=1).items()}
    if case.problog and problog_seconds > 0:
        rival = problog(case, problog_seconds)
        row |= {"ProbLog": rival["outcome"], TIMEOUT: problog_seconds, PROBLOG: rival.get("seconds")}
        if found is not None and "probabilities" in rival:
            row["difference from ProbLog"] = largest_difference(found, rival["probabilities"])
    if found is not None and expected is not None:
        row["error"] = largest_difference(found, expected)
    return row


def comparisons(row: Mapping[str, Any]) -> list[Comparison]:
    """The rows of the common table: ProbLog and pgmpy against our first answer, pgmpy against the next ones."""
    first = f"{row['case']}, first answer"
    late = FIRST not in row
    mine = row["budget (s)"] if late else row[FIRST]
    found = []
    if TIMEOUT in row:
        stopped = row["ProbLog"] == "stopped"
        bounded: Bounded = "both" if late and stopped else "deepplp" if late else "peer" if stopped else ""
        theirs, error = row[TIMEOUT] if stopped else row[PROBLOG], row.get("difference from ProbLog")
        found.append(Comparison(first, "s", mine, "ProbLog", theirs, target=1.0, error=error, bounded=bounded))
    if PGMPY in row:
        error, bounded = row.get("error"), "deepplp" if late else ""
        found.append(Comparison(first, "s", mine, "pgmpy", row[PGMPY], error=error, bounded=bounded))
        if AGAIN in row:
            again = f"{row['case']}, again"
            found.append(Comparison(again, "ms", row[AGAIN], "pgmpy", row[PGMPY_AGAIN], error=error))
    return found


HEADER: dict[str, Callable[[Any], str]] = {
    "ground (s)": "{:.2f}".format,
    "compile (s)": "{:.2f}".format,
    "nodes": "{:,}".format,
    "elements": "{:,}".format,
    "order": str,
    FIRST: "{:.2f}".format,
    AGAIN: "{:.2f}".format,
    "error": "{:.1e}".format,
    PGMPY: "{:.3f}".format,
    PGMPY_AGAIN: "{:.1f}".format,
    PROBLOG: "{:.2f}".format,
}


def cells(row: Mapping[str, Any]) -> list[str]:
    """The cells of a case in this suite's own table; what was not reached in time is a dash."""
    shown = [write(row[name]) if row.get(name) is not None else "-" for name, write in HEADER.items()]
    if row.get("ProbLog") == "stopped":
        shown[-1] = f"> {row[TIMEOUT]:g}"
    return [row["case"], *shown]


def warm_up(chosen: Sequence[Case]) -> None:
    """Load the kernel, and pgmpy where it is needed: that is no case's time."""
    asker(Case("", "0.5::coin.", ("coin",)), 60.0)()
    networks = [case.network for case in chosen if case.network is not None]
    if networks:
        PgmpyOracle(min(networks, key=lambda network: len(network.values))).marginals({})


def suite(names: Sequence[str] = (), seconds: float = 60.0, problog_seconds: float = 60.0) -> Measured:
    """All cases, or those of these names; a line is printed as soon as it is known."""
    every = {case.name: case for case in cases()}
    for unknown in set(names) - set(every):
        raise typer.BadParameter(f"there is no case {unknown!r}; there are: {', '.join(every)}")
    chosen = [every[name] for name in names or every]
    warm_up(chosen)
    found = Measured()
    print(line(["case", *HEADER]))
    print("|---|" + "---:|" * len(HEADER))
    for case in chosen:
        row = measure(case, seconds, problog_seconds)
        found.details.append(row)
        found.comparisons += comparisons(row)
        print(line(cells(row)), flush=True)
    return found


def main(
    case: Annotated[list[str] | None, typer.Option(help="Only cases of this name; repeat for several.")] = None,
    seconds: Annotated[float, typer.Option(help="What compiling one case may take.")] = 60.0,
    problog_seconds: Annotated[float, typer.Option(help="What ProbLog may take; 0 leaves it out.")] = 60.0,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/compilation.json"),
) -> None:
    """Measure and print, a line a case."""
    report(output, {"compilation": suite(case or (), seconds, problog_seconds)})


if __name__ == "__main__":
    typer.run(main)
