"""Many different structures: ground and compiled in one process, in several, on a Dask cluster, and read from disk.

    python -m experiments.benchmarks.structures
    python -m experiments.benchmarks.structures --dask

Every structure is a random graph of its own with probabilistic edges, and asks which vertices can be reached. The
model starts anew for every row, with an empty cache; the last row starts with a full one.
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
import typer

import deepplp
from experiments.benchmarks.timing import write_json

PROGRAM = """
path(X, Y) :- edge(X, Y).
path(X, Y) :- edge(X, Z), path(Z, Y).
"""

FIRST_QUERY = """
import time
import torch
import deepplp
started = time.perf_counter()
program = deepplp.Program.from_file("programs/mnist_multi_digit_addition.pl")
one_hot = lambda x: torch.nn.functional.one_hot(x, 10).float()
model = deepplp.Model(program, {"mnist_net": lambda x: torch.full((len(x), 10), 0.1), "label": one_hot})
x, y, z = ([f"{c}{i}" for i in range(15 + (c == "z"))] for c in "xyz")
inputs = {n: torch.zeros(64, 1, requires_grad=True) for n in x + y} | {n: torch.zeros(64, dtype=torch.long) for n in z}
model.query(f"addition([{','.join(x)}], [{','.join(y)}], [{','.join(z)}])", inputs).log_probs.sum()
print(time.perf_counter() - started)
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
    from dask.distributed import Client, LocalCluster

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
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for _ in range(repeats + 1):
            done = subprocess.run(
                [sys.executable, "-c", FIRST_QUERY], capture_output=True, text=True, check=True,
                env={**os.environ, "DEEPPLP_CACHE": folder},
            )  # fmt: skip
            runs.append(float(done.stdout))
    return runs[0], statistics.median(runs[1:])


def main(
    count: Annotated[int, typer.Option(help="How many structures.")] = 500,
    jobs: Annotated[int, typer.Option(help="Processes for the second row.")] = 2,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 3,
    dask: Annotated[bool, typer.Option(help="Also on a local Dask cluster.")] = False,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/structures.json"),
) -> None:
    """Measure and print."""
    queries = graphs(count, seed=0)
    timed(queries[: 4 * jobs], jobs, False)  # the worker processes are up
    rounds: dict[str, list[float]] = {"one process": [], f"{jobs} processes": []}
    for _ in range(repeats):
        rounds["one process"].append(timed(queries, 1, False))
        rounds[f"{jobs} processes"].append(timed(queries, jobs, False))
    if dask:
        with dask_cluster(jobs):
            timed(queries[: 4 * jobs], jobs, False)
            rounds["Dask"] = [timed(queries, jobs, False) for _ in range(repeats)]
    rows: list[dict[str, Any]] = []
    one = statistics.median(rounds["one process"])
    for name, seconds in rounds.items():
        median = statistics.median(seconds)
        rows.append(
            {"structures": count, "by": name, "seconds": median, "per second": count / median, "ratio": one / median}
        )
    cold, warm = first_query(repeats)
    rows.append({"first query, empty cache, s": cold, "first query, full cache, s": warm})
    for row in rows:
        print(", ".join(f"{k}: {v:.4g}" if isinstance(v, float) else f"{k}: {v}" for k, v in row.items()), flush=True)
    write_json(output, rows)
    print(f"written to {output}")


if __name__ == "__main__":
    typer.run(main)
