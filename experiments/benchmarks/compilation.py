"""Grounding and compilation: Bayesian networks, carry chains, grids, cyclic graphs, smokers; ProbLog beside it.

    python -m experiments.benchmarks.compilation
    python -m experiments.benchmarks.compilation --case alarm --case "grid 6" --problog-seconds 60

One table: our seconds for grounding, compiling and evaluating, the circuit's size and the order that won, ProbLog's
seconds for its own default pipeline (in a process of its own, stopped after ``--problog-seconds``), and the ratio. The
Bayesian networks are asked for all marginals, without evidence and with the last two variables observed, and checked
against variable elimination to within 1e-8; all other cases are checked against ProbLog where it answers.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

import deepplp
from deepplp.compilation import compile_with_report
from deepplp.errors import BudgetExceededError
from deepplp.grounding import Grounder
from deepplp.program import parse_goal
from experiments.benchmarks.networks import BayesianNetwork, atom, load_network, marginals, program_text
from experiments.benchmarks.timing import write_json
from experiments.mnist_addition import PROGRAMS

NETWORKS = (
    "asia", "cancer", "earthquake", "survey", "sachs", "child", "alarm", "hepar2", "win95pts", "pigs", "insurance",
    "water", "hailfinder", "andes",
)  # fmt: skip
REACH = " reach(X) :- start(X). reach(Y) :- reach(X), edge(X, Y). "
BOTH_WAYS = " edge(X, Y) :- e(X, Y). edge(X, Y) :- e(Y, X)."
_PROBLOG = """
import json, sys, time
from problog import get_evaluatable
from problog.program import PrologString

text = sys.stdin.read()
start = time.perf_counter()
result = get_evaluatable().create_from(PrologString(text)).evaluate()
print(json.dumps([time.perf_counter() - start, {str(k): v for k, v in result.items()}]))
"""


@dataclass(frozen=True)
class Case:
    """A program and its queries; ``expected`` are probabilities by an oracle, ``problog`` whether it can run it."""

    name: str
    text: str
    queries: tuple[str, ...]
    evidence: Mapping[str, bool] = field(default_factory=dict)
    expected: Callable[[], dict[str, float]] | None = None
    problog: bool = True


def network_case(name: str, network: BayesianNetwork, observed: Mapping[str, str]) -> Case:
    """All marginals of a Bayesian network."""
    evidence = {atom(v, value): True for v, value in observed.items()}

    def expected() -> dict[str, float]:
        found = marginals(network, observed)
        return {
            atom(v, value): float(p)
            for v in network.values
            for value, p in zip(network.values[v], found[v], strict=True)
        }

    queries = tuple(atom(v, value) for v, values in network.values.items() for value in values)
    return Case(f"{name}{' | evidence' if observed else ''}", program_text(network), queries, evidence, expected)


def observation(network: BayesianNetwork) -> dict[str, str]:
    """The last two variables without children, at their likelier value by an average row of their tables."""
    inner = {p for parents in network.parents.values() for p in parents}
    leaves = [v for v in network.values if v not in inner][-2:]
    return {
        v: network.values[v][int(network.tables[v].reshape(-1, len(network.values[v])).mean(axis=0).argmax())]
        for v in leaves
    }


def grid(n: int, directed: bool) -> Case:
    """Reaching the far corner of a grid of n by n nodes over edges that are there with probability 0.9."""
    edges = [
        f"0.9::e(n({r},{c}), n({r + down},{c + right}))."
        for r in range(n)
        for c in range(n)
        for down, right in ((0, 1), (1, 0))
        if r + down < n and c + right < n
    ]
    rules = " edge(X, Y) :- e(X, Y)." if directed else BOTH_WAYS
    text = " ".join(edges) + rules + REACH + "start(n(0,0))."
    return Case(f"{'grid' if directed else 'undirected grid'} {n}", text, (f"reach(n({n - 1},{n - 1}))",))


def cyclic(seed: int) -> Case:
    """Reaching one of 14 nodes from another over 35 undirected edges."""
    pairs = [(i, j) for i in range(14) for j in range(i)]
    edges = random.Random(seed).sample(pairs, 35)
    text = " ".join(f"0.3::e({i}, {j})." for i, j in edges) + BOTH_WAYS + REACH + "start(0)."
    return Case(f"cyclic graph {seed}", text, ("reach(13)",))


def smokers(n: int) -> Case:
    """Friends who make each other smoke, each with two friends drawn at random."""
    generator = random.Random(0)
    friends = sorted({(i, j) for i in range(n) for j in generator.sample(range(n), 2) if i != j})
    text = (
        "0.3::stress(X) :- person(X). 0.2::influences(X, Y) :- person(X), person(Y). smokes(X) :- stress(X). "
        "smokes(X) :- friend(X, Y), influences(Y, X), smokes(Y). 0.4::asthma(X) :- smokes(X). "
    )
    text += " ".join(f"person({i})." for i in range(n)) + " " + " ".join(f"friend({i}, {j})." for i, j in friends)
    return Case(f"smokers {n}", text, ("asthma(X)",))


def chain(digits: int) -> Case:
    """Adding two numbers whose digits, and whose sum's digits, networks read."""
    lists = [",".join(f"{letter}{i}" for i in range(digits + (letter == "z"))) for letter in "xyz"]
    goal = f"addition([{lists[0]}],[{lists[1]}],[{lists[2]}])"
    return Case(f"chain {digits}", (PROGRAMS / "mnist_multi_digit_addition.pl").read_text(), (goal,), problog=False)


def cases() -> Iterator[Case]:
    """All cases, the networks only where ``DEEPPLP_DATA`` has them."""
    for digits in (15, 60, 300):
        yield chain(digits)
    for name in NETWORKS if "DEEPPLP_DATA" in os.environ else ():
        network = load_network(name)
        yield network_case(name, network, {})
        yield network_case(name, network, observation(network))
    for n in (6, 8, 10, 12):
        yield grid(n, directed=True)
    for n in (4, 5, 6):
        yield grid(n, directed=False)
    for seed in range(3):
        yield cyclic(seed)
    for n in (8, 16, 32):
        yield smokers(n)


def ours(case: Case, seconds: float) -> tuple[dict[str, Any], dict[str, float]]:
    """The figures of a case, and the probabilities where there are no networks."""
    row: dict[str, Any] = {"case": case.name}
    start = time.perf_counter()
    program = deepplp.Program.from_string(case.text)
    goals = [parse_goal(q) for q in case.queries]
    formula = Grounder(program).ground(goals, [(parse_goal(t), v) for t, v in case.evidence.items()])
    row["ground (s)"] = time.perf_counter() - start
    start = time.perf_counter()
    try:
        circuit, report = compile_with_report(formula, budget=deepplp.CompileBudget(seconds))
    except BudgetExceededError:
        row["compile (s)"] = None
        return row, {}
    row |= {"compile (s)": time.perf_counter() - start, "nodes": circuit.nodes, "elements": circuit.elements}
    row["order"] = report.winner
    if not case.problog:
        return row, {}
    answers = deepplp.Model(program, cache=False, budget=deepplp.CompileBudget(seconds)).query(
        list(case.queries), evidence=case.evidence
    )
    return row, dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))


def problog(case: Case, seconds: float) -> tuple[float, dict[str, float]] | None:
    """ProbLog's seconds and probabilities; None where it has no answer in time."""
    lines = [case.text, *(f"evidence({t}, {str(v).lower()})." for t, v in case.evidence.items())]
    text = "\n".join([*lines, *(f"query({q})." for q in case.queries)])
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBLOG], input=text, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    taken, found = json.loads(done.stdout.splitlines()[-1])
    return float(taken), found


def largest_difference(found: Mapping[str, float], expected: Mapping[str, float]) -> float:
    """Between probabilities of the same atoms; ProbLog writes spaces and quotes in other places than we do."""
    by_text = {_plain(t): p for t, p in expected.items()}
    return max((abs(p - by_text[_plain(t)]) for t, p in found.items()), default=0.0)


def _plain(term: str) -> str:
    return term.replace(" ", "").replace("'", "")


def measure(case: Case, seconds: float, problog_seconds: float) -> dict[str, Any]:
    """One row of the table."""
    row, found = ours(case, seconds)
    if found and case.expected is not None:
        row["error"] = largest_difference(found, case.expected())
    rival = problog(case, problog_seconds) if case.problog and problog_seconds > 0 else None
    if rival is not None:
        row["ProbLog (s)"] = rival[0]
        if row["compile (s)"] is not None:
            row["ProbLog / deepplp"] = rival[0] / (row["ground (s)"] + row["compile (s)"])
        if found and case.expected is None:
            row["error"] = largest_difference(found, rival[1])
    if row.get("error", 0.0) > 1e-8:
        raise SystemExit(f"{case.name}: probabilities differ by {row['error']:.3g}")
    return row


HEADER = (
    "case",
    "ground (s)",
    "compile (s)",
    "nodes",
    "elements",
    "order",
    "error",
    "ProbLog (s)",
    "ProbLog / deepplp",
)


def line(row: Mapping[str, Any]) -> str:
    """A row of the table; what was not reached in time is a dash."""
    cells = []
    for name in HEADER:
        value = row.get(name)
        if value is None:
            cells.append("-")
        elif isinstance(value, float):
            cells.append(f"{value:.2g}" if name == "error" else f"{value:.2f}" if value < 100 else f"{value:,.0f}")
        else:
            cells.append(f"{value:,}" if isinstance(value, int) else str(value))
    return "| " + " | ".join(cells) + " |"


def main(
    case: Annotated[list[str] | None, typer.Option(help="Only cases of this name; repeat for several.")] = None,
    seconds: Annotated[float, typer.Option(help="What compiling one case may take.")] = 60.0,
    problog_seconds: Annotated[float, typer.Option(help="What ProbLog may take; 0 leaves it out.")] = 60.0,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/compilation.json"),
) -> None:
    """Measure and print the table, a line as soon as it is known."""
    rows = []
    print("| " + " | ".join(HEADER) + " |")
    print("|---|" + "---:|" * (len(HEADER) - 1))
    for each in cases():
        if not case or each.name in case:
            rows.append(measure(each, seconds, problog_seconds))
            print(line(rows[-1]), flush=True)
    write_json(output, rows)
    print(f"written to {output}")


if __name__ == "__main__":
    typer.run(main)
