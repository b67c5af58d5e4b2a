"""The naive program of two-digit sums: training speed against sums written by hand, and against DeepProbLog on it.

    python -m experiments.benchmarks.number_addition
    python -m experiments.benchmarks.number_addition --repeats 51 --deepproblog 0

programs/mnist_number_addition.pl reads two numbers and adds them with ``is``: 10,000 readings, and 199 sums of which
all are answered at once. By hand there are three ways to the same 199 probabilities: all pairs of numbers summed by
their total; the two numbers' distributions convolved; and the ones and the tens convolved by themselves and put
together. DeepProbLog runs the same program, for one sum an example; its figure is that of examples whose sums it has
compiled before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

import deepplp
from experiments.benchmarks.mnist_addition import check_agreement, network_loss, trainer
from experiments.benchmarks.rivals import (
    Loss,
    convolution_loss,
    deepproblog_pairs_per_second,
    outer_sum_loss,
    place_values_loss,
    sums_shown,
)
from experiments.benchmarks.table import Comparison, Measured, report, show
from experiments.benchmarks.timing import median_seconds
from experiments.data import Additions, Digits, load_digits
from experiments.networks import lenet
from experiments.training import PROGRAMS

QUERY = "addition([x1, x0], [y1, y0], S)"
BY_HAND = {
    "by hand: all pairs": outer_sum_loss,
    "by hand: convolution": convolution_loss,
    "by hand: ones and tens": place_values_loss,
}
DEEPPROBLOG_SUMS = 8  # sums that DeepProbLog compiles beforehand; each takes it a second


def naive_loss(network: nn.Module) -> Loss:
    """The mean of -log P(sum), by the program."""
    program = deepplp.Program.from_file(PROGRAMS / "mnist_number_addition.pl")
    model = deepplp.Model(program, {"mnist_net": network}, cache=False)

    def loss(images: Tensor, shown: Tensor) -> Tensor:
        names = {f"{letter}{i}": images[:, n, i] for n, letter in enumerate("xy") for i in range(2)}
        return -model.query(QUERY, names).log_prob(sums_shown(shown)).mean()

    return loss


def rivals() -> dict[str, tuple[Loss, nn.Module]]:
    """The losses and their networks, all from one seed."""
    made: dict[str, tuple[Loss, nn.Module]] = {}
    for name, loss in {"deepplp": naive_loss, **BY_HAND, "the network alone": network_loss}.items():
        torch.manual_seed(0)
        network = lenet()
        made[name] = (loss(network), network)
    return made


def deepproblog_examples(data: Digits, count: int) -> tuple[Tensor, Tensor]:
    """Images and digits of examples that have one of the first few sums drawn: one of each sum, and ``count`` more."""
    every = Additions.draw(data.train_images, data.train_labels, 2, 1, seed=1, limit=0)
    sums = sums_shown(data.train_labels[every.numbers])
    chosen = list(dict.fromkeys(sums.tolist()))[:DEEPPROBLOG_SUMS]
    rows = torch.isin(sums, torch.tensor(chosen)).nonzero().flatten().tolist()
    firsts = [next(i for i in rows if int(sums[i]) == total) for total in chosen]
    kept = torch.tensor(firsts + [i for i in rows if i not in firsts][:count])
    numbers = every.numbers[kept]
    return data.train_images[numbers], data.train_labels[numbers]


def measure(data: Digits, batch_size: int, examples: int, repeats: int, deepproblog: int) -> dict[str, Any]:
    """The figures of one batch size."""
    draw = Additions.draw(data.train_images, data.train_labels, 2, batch_size, seed=0, limit=examples)
    batches = list(draw)
    made = rivals()
    start = time.perf_counter()
    made["deepplp"][0](*batches[0])
    row: dict[str, Any] = {"batch_size": batch_size, "examples": len(draw.numbers)}
    row["first batch (s)"] = time.perf_counter() - start
    for name in BY_HAND:
        check_agreement({"deepplp": made["deepplp"], "by hand": made[name]}, batches[0])
    seconds = median_seconds({n: trainer(loss, net, batches) for n, (loss, net) in made.items()}, repeats)
    row |= {f"{name} examples/s": len(draw.numbers) / s for name, s in seconds.items()}
    if deepproblog:
        chosen = deepproblog_examples(data, deepproblog)
        row["DeepProbLog examples/s"] = deepproblog_pairs_per_second(lenet(), *chosen, batch_size)
    return row


def comparisons(row: dict[str, Any]) -> list[Comparison]:
    """The rows of the common table."""
    case = f"two-digit sums, naive program, batch {row['batch_size']}"
    targets = dict.fromkeys(BY_HAND, 0.9) | {"DeepProbLog": 300.0}
    return [
        Comparison(case, "/s", row["deepplp examples/s"], peer, row[f"{peer} examples/s"], target=targets.get(peer))
        for peer in (*BY_HAND, "the network alone", "DeepProbLog")
        if f"{peer} examples/s" in row
    ]


def suite(
    batch_sizes: Sequence[int] = (32,), examples: int = 1600, repeats: int = 21, deepproblog: int = 64
) -> Measured:
    """Training speed at each batch size."""
    data = load_digits()
    found = Measured()
    for size in batch_sizes:
        row = measure(data, size, examples, repeats, deepproblog if size == batch_sizes[0] else 0)
        found.details.append(row)
        found.comparisons += comparisons(row)
        show(row)
    return found


def main(
    batch_size: Annotated[list[int] | None, typer.Option(help="Repeat for several.")] = None,
    examples: Annotated[int, typer.Option(help="Examples a round; fewer where images are fewer.")] = 1600,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 21,
    deepproblog: Annotated[int, typer.Option(help="Examples for DeepProbLog; 0 leaves it out.")] = 64,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/number_addition.json"),
) -> None:
    """Measure and print, one block a batch size."""
    report(output, {"number_addition": suite(batch_size or (32,), examples, repeats, deepproblog)})


if __name__ == "__main__":
    typer.run(main)
