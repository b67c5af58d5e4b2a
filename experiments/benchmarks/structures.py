"""Many different structures: ground and compiled in one process or several, answered at once, and read from disk.

    python -m experiments.benchmarks.structures
    python -m experiments.benchmarks.structures --dask

Every structure is a random graph of its own with probabilistic edges, and asks which vertices can be reached. The
model starts anew for every round, with an empty cache. Then stories of several lengths are answered with gradients: all
by one `query_many`, which calls the network once, or one by one, of structures that are there. Last come the seconds
from a new process's import to its first answer about 15 digits, with an empty cache and with a full one.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import joblib
import torch
import typer

import deepplp
from experiments.benchmarks.table import Comparison, Measured, missing, report, show
from experiments.benchmarks.timing import median_seconds
from experiments.training import PROGRAMS

PROGRAM = """
path(X, Y) :- edge(X, Y).
path(X, Y) :- edge(X, Z), path(Z, Y).
"""

FIRST_QUERY = """
import sys
import time
import torch
import deepplp
started = time.perf_counter()
program = deepplp.Program.from_file(sys.argv[1])
one_hot = lambda x: torch.nn.functional.one_hot(x, 10).float()
model = deepplp.Model(program, {"mnist_net": lambda x: torch.full((len(x), 10), 0.1), "label": one_hot})
x, y, z = ([f"{c}{i}" for i in range(15 + (c == "z"))] for c in "xyz")
inputs = {n: torch.zeros(64, 1, requires_grad=True) for n in x + y} | {n: torch.zeros(64, dtype=torch.long) for n in z}
model.query(f"addition([{','.join(x)}], [{','.join(y)}], [{','.join(z)}])", inputs).log_probs.sum()
print(time.perf_counter() - started, model.cache_info().disk)
"""


def graphs(count: int, seed: int) -> list[deepplp.Query]:
    """Queries about random graphs of seven vertices and eleven edges."""
    rng = random.Random(seed)
    pairs = [(a, b) for a in range(7) for b in range(7) if a != b]
    queries = []
    for _ in range(count):
        edges = sorted(rng.sample(pairs, 11))
        facts = " ".join(f"0.{rng.randint(1, 9)}::edge({a}, {b})." for a, b in edges)
        queries.append(deepplp.Query("path(0, X)", facts=facts))
    return queries


@contextlib.contextmanager
def dask_cluster(workers: int) -> Iterator[None]:
    """A Dask cluster on this machine, to which joblib hands its work."""
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise missing("Dask", error) from None
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        yield


def timed(queries: list[deepplp.Query], jobs: int, folder: str | bool) -> float:
    """The seconds that preparing the queries takes a new model."""
    model = deepplp.Model(deepplp.Program.from_string(PROGRAM), cache=folder)
    started = time.perf_counter()
    model.prepare(queries, jobs=jobs)
    seconds = time.perf_counter() - started
    info = model.cache_info()
    assert info.built + info.disk == len(queries), info
    return seconds


def first_query(repeats: int) -> tuple[float, float]:
    """Seconds from the import to the first answer about 15 digits, in new processes: an empty cache, and a full one."""
    command = [sys.executable, "-c", FIRST_QUERY, str(PROGRAMS / "mnist_multi_digit_addition.pl")]
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for i in range(repeats + 1):
            environment = {**os.environ, "DEEPPLP_CACHE": folder}
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            seconds, read = done.stdout.split()
            assert int(read) == (i > 0), "what the first process kept, all others read"
            runs.append(float(seconds))
    return runs[0], statistics.median(runs[1:])


def stories(count: int, seed: int) -> list[deepplp.Query]:
    """Queries to programs/clutrr.pl: stories of two to six sentences, each with facts and inputs of its own."""
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    queries = []
    for _ in range(count):
        length, gender = rng.randint(2, 6), rng.choice(("male", "female"))
        about = [f"about(s{i}, p{i - 1}, p{i})." for i in range(1, length + 1)]
        inputs = {f"s{i}": torch.randn(1, 16, generator=generator) for i in range(1, length + 1)}
        facts = " ".join([*about, f"gender(p{length}, {gender})."])
        queries.append(deepplp.Query(f"related(p0, p{length}, Word)", inputs, facts=facts))
    return queries


def together(count: int, repeats: int) -> dict[str, Any]:
    """Queries a second, forward and backward: answered at once, and one after another."""
    calls = 0
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(16, 7), torch.nn.Softmax(dim=1))

    def network(sentences: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return layers(sentences)

    model = deepplp.Model(deepplp.Program.from_file(PROGRAMS / "clutrr.pl"), {"kind_net": network}, cache=False)
    queries = stories(count, seed=0)
    model.prepare(queries, jobs=1)

    def backward(asked: list[deepplp.Query]) -> None:
        sum(answers.probs.square().sum() for answers in model.query_many(asked)).backward()

    def one_by_one() -> None:
        for query in queries:
            backward([query])

    backward(queries)
    called = calls
    seconds = median_seconds({"at once": lambda: backward(queries), "one by one": one_by_one}, repeats)
    return {"stories": count, "network calls": called} | {f"{n} (/s)": count / s for n, s in seconds.items()}


def prepared(count: int, jobs: int, repeats: int, dask: bool) -> dict[str, Any]:
    """Structures a second, ground and compiled in one process, in several, and by a Dask cluster."""
    queries = graphs(count, seed=0)
    timed(queries[: 4 * jobs], jobs, False)  # the worker processes are up
    many = f"{jobs} processes"
    rounds = {"one process": lambda: timed(queries, 1, False), many: lambda: timed(queries, jobs, False)}
    row: dict[str, Any] = {"structures": count}
    row |= {f"{n} (/s)": count / s for n, s in median_seconds(rounds, repeats, warmup=0).items()}
    if dask:
        with dask_cluster(jobs):
            timed(queries[: 4 * jobs], jobs, False)
            seconds = statistics.median(timed(queries, jobs, False) for _ in range(repeats))
        row[f"Dask, {jobs} workers (/s)"] = count / seconds
    return row


def comparisons(row: dict[str, Any]) -> list[Comparison]:
    """The rows of the common table: here deepplp is its own peer."""
    if "structures" in row:
        case = f"{row['structures']} structures"
        one = row["one process (/s)"]
        others = {n.removesuffix(" (/s)"): v for n, v in row.items() if n.endswith("(/s)") and v is not one}
        return [Comparison(f"{case}, {n}", "/s", v, "one process", one, target=1.7) for n, v in others.items()]
    if "stories" in row:
        case = f"{row['stories']} stories by one query_many, network calls: {row['network calls']}"
        return [Comparison(case, "/s", row["at once (/s)"], "one by one", row["one by one (/s)"])]
    cold, warm = row["first query, empty cache (s)"], row["first query, full cache (s)"]
    return [Comparison("first query, 15 digits, full cache", "s", warm, "empty cache", cold)]


def suite(count: int = 500, jobs: int = 2, repeats: int = 3, dask: bool = False, queries: int = 256) -> Measured:
    """Preparing structures, answering many queries at once, and a process's first query."""
    found = Measured()

    def add(row: dict[str, Any]) -> None:
        found.details.append(row)
        found.comparisons.extend(comparisons(row))
        show(row)

    add(prepared(count, jobs, repeats, dask))
    add(together(queries, repeats))
    cold, warm = first_query(repeats)
    add({"first query, empty cache (s)": cold, "first query, full cache (s)": warm})
    return found


def main(
    count: Annotated[int, typer.Option(help="How many structures.")] = 500,
    jobs: Annotated[int, typer.Option(help="Processes for the second row.")] = 2,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 3,
    dask: Annotated[bool, typer.Option(help="Also on a local Dask cluster.")] = False,
    queries: Annotated[int, typer.Option(min=1, help="Stories that are answered at once.")] = 256,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/structures.json"),
) -> None:
    """Measure and print."""
    report(output, {"structures": suite(count, jobs, repeats, dask, queries)})


if __name__ == "__main__":
    typer.run(main)
