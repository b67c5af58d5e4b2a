"""Counting and adding up what networks see, by `findall/3` with `length/2` or `sum_list/2`; ProbLog and a loss by hand.

    python -m experiments.benchmarks.counting
    python -m experiments.benchmarks.counting --problog-seconds 20

The *first answer* is a new model's, from the program's text to the probabilities of all counts. ProbLog runs the same
program on probabilistic facts, in a process of its own. *By hand* is the same distribution in PyTorch, one image after
another: a row of counts, or of sums, convolved with the image's probabilities; forward and backward, batch 64.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from torch.nn import functional

import deepplp
from experiments.benchmarks.cases import Case
from experiments.benchmarks.compilation import largest_difference, problog, warm_up
from experiments.benchmarks.table import Bounded, Comparison, Measured, report, show
from experiments.benchmarks.timing import median_seconds

BATCH = 64
RULES = {
    "count": "total(N) :- findall(X, (image(X), digit(X, 1)), L), length(L, N).",
    "sum": "total(N) :- findall(D, (image(X), digit(X, D)), L), sum_list(L, N).",
}
CASES = (("count", 9, 2), ("count", 12, 2), ("count", 128, 2), ("sum", 4, 10), ("sum", 10, 10))
"""What is taken of how many images, and how many values an image has."""


def text_of(what: str, count: int) -> str:
    """The images and what is taken of them."""
    images = " ".join(f"image(i{n})." for n in range(count))
    return f":- use_module(library(lists)).\n{images}\n{RULES[what]}"


def facts_case(what: str, count: int, probabilities: Tensor) -> Case:
    """The program with the probabilities [images, values] as an annotated disjunction an image."""
    choices = [
        "; ".join(f"{float(p):.17g}::digit(i{n}, {d})" for d, p in enumerate(row)) + "."
        for n, row in enumerate(probabilities)
    ]
    return Case(f"{what} {count}", "\n".join([*choices, text_of(what, count)]), ("total(N)",))


def distributions(count: int, values: int) -> Tensor:
    """Random distributions [batch, images, values]."""
    return torch.rand(
        BATCH, count, values, generator=torch.Generator().manual_seed(count), dtype=torch.float64
    ).softmax(-1)


def by_hand(p: Tensor) -> Tensor:
    """The distribution [batch, totals] of the sum of numbers with distributions [batch, images, values]."""
    rows, images, values = p.shape
    total = p.new_ones(rows, 1)
    for i in range(images):
        windows = functional.pad(total, (values - 1, values - 1)).unfold(1, values, 1)  # [batch, totals, values]
        total = (windows * p[:, i, None].flip(-1)).sum(-1)
    return total


def measure(what: str, count: int, values: int, problog_seconds: float) -> tuple[dict[str, Any], list[Comparison]]:
    """The figures of one case, and the comparisons drawn from them."""
    p = distributions(count, values).requires_grad_()
    declared = f"nn(net, [X], D, [0..{values - 1}]) :: digit(X, D).\n{text_of(what, count)}"
    start, spent = time.perf_counter(), time.process_time()
    model = deepplp.Model(deepplp.Program.from_string(declared), {"net": lambda x: x}, cache=False)
    inputs = {f"i{n}": p[:, n] for n in range(count)}
    answers = model.query("total(N)", inputs)
    first, spent = time.perf_counter() - start, time.process_time() - spent
    error = float((answers.probs - by_hand(p)).detach().abs().max())

    def ours() -> None:
        model.query("total(N)", inputs).probs.square().sum().backward()

    def theirs() -> None:
        by_hand(p).square().sum().backward()

    rivals: dict[str, Callable[[], object]] = {"deepplp (ms)": ours, "by hand (ms)": theirs}
    again = {name: 1000 * s for name, s in median_seconds(rivals, 5).items()}
    name = f"{what} {count}"
    row: dict[str, Any] = {"case": name, "totals": len(answers), "first answer (s)": first, "CPU (s)": spent, **again}
    row["error"] = error
    found = [
        Comparison(f"{name}, batch {BATCH}", "ms", again["deepplp (ms)"], "by hand", again["by hand (ms)"], error=error)
    ]
    if problog_seconds > 0:
        case = facts_case(what, count, p[0].detach())
        rival = problog(case, problog_seconds)
        stopped = rival["outcome"] == "stopped"
        bounded: Bounded = "peer" if stopped else ""
        row |= {"ProbLog": rival["outcome"], "ProbLog (s)": rival.get("seconds")}
        difference = None
        if "probabilities" in rival:
            difference = largest_difference(answers.to_dict(0), rival["probabilities"])
        figure = problog_seconds if stopped else rival.get("seconds")
        found.append(
            Comparison(
                f"{name}, first answer", "s", first, "ProbLog", figure, target=1.0, error=difference, bounded=bounded
            )
        )
    return row, found


def suite(cases: Sequence[tuple[str, int, int]] = CASES, problog_seconds: float = 60.0) -> Measured:
    """Measure these cases."""
    warm_up(())
    found = Measured()
    for what, count, values in cases:
        row, comparisons = measure(what, count, values, problog_seconds)
        show(row)
        found.details.append(row)
        found.comparisons += comparisons
    return found


def main(
    problog_seconds: Annotated[float, typer.Option(help="What ProbLog may take; 0 leaves it out.")] = 60.0,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/counting.json"),
) -> None:
    """Measure, and write the figures."""
    report(output, {"counting": suite(problog_seconds=problog_seconds)})


if __name__ == "__main__":
    typer.run(main)
