"""Learn to compare from sorted lists: the hole of a bubble sort, filled by a network.

    python -m experiments.forth_sort --length 3 --epochs 20

programs/forth_sort.pl is trained on lists of 2 to 8 digits and their sorted versions. Every example is a query of its
own, since its numbers are part of the program's terms; a batch of them is one circuit with many answers, ground once.

To test, the hole is filled with what the network has learnt, as facts swap(X, Y), and the program without its network
sorts lists of 8 and of 64 digits.

With seed 0, lists of 8 and of 64 digits are all sorted after 3 epochs (lists of 2 or 3 to learn from: 15 s on one
core).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor, nn
from torch.nn import functional

import deepplp
from experiments.datasets import data_folder
from experiments.training import (
    PROGRAMS,
    BatchSize,
    Device,
    Epochs,
    LearningRate,
    Limit,
    Output,
    Progress,
    Run,
    Seed,
    fit,
    in_batches,
    reshuffled,
    rules_of,
)


class Swap(nn.Module):
    """Pairs of digits to the logit [n] of swapping them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, x: Sequence[int], y: Sequence[int]) -> Tensor:
        """One value a row, as the program's terms have them."""
        digits = torch.tensor([x, y], device=self.layers[0].weight.device)  # [2, n]
        return self.layers(functional.one_hot(digits, 10).float().transpose(0, 1).flatten(1))  # [n, 1]

    def decisions(self) -> str:
        """The facts swap(X, Y) for all digits that the network would rather swap."""
        pairs = [(x, y) for x in range(10) for y in range(10)]
        swaps = self(*zip(*pairs, strict=True)).flatten() > 0
        return " ".join(f"swap({x}, {y})." for (x, y), yes in zip(pairs, swaps.tolist(), strict=True) if yes)


def read(file: Path, limit: int) -> list[str]:
    """The examples of a file, as queries."""
    terms = [line.strip().removesuffix(".") for line in file.read_text().splitlines() if line.strip()]
    return terms[:limit] if limit else terms


def filled_accuracy(rules: deepplp.Program, network: Swap, queries: Sequence[str]) -> float:
    """The share of lists that the rules sort rightly with the network's decisions as facts."""
    facts = network.decisions()
    if not facts:  # a network that never swaps sorts nothing but what is sorted
        return sum(x == y for x, y in (ast.literal_eval(q[len("forth_sort") :]) for q in queries)) / len(queries)
    answers = deepplp.Model(rules).query(queries, facts=facts)
    return float(answers.probs.mean())


def main(
    length: Annotated[int, typer.Option(min=2, max=8, help="Length of the lists to learn from.")] = 3,
    epochs: Epochs = 20,
    batch_size: BatchSize = 16,
    seed: Seed = 0,
    device: Device = "cpu",
    learning_rate: LearningRate = 0.01,
    limit: Limit = 0,
    long: Annotated[int, typer.Option(min=0, help="Lists of 64 digits to test on, at the end.")] = 4,
    output: Output = Path("runs/forth_sort"),
    progress: Progress = None,
) -> None:
    """Train a comparison from sorted lists, and test it after every epoch on lists of 8 digits."""
    torch.manual_seed(seed)
    folder = data_folder("forth/sort")
    train = in_batches(read(folder / f"train{length}_test8_train.txt", limit), batch_size)
    test = read(folder / f"train{length}_test8_test.txt", limit)
    program = deepplp.Program.from_file(PROGRAMS / "forth_sort.pl")
    rules = rules_of(program)
    network = Swap().to(device)
    model = deepplp.Model(program, {"swap_net": deepplp.Network(network, "logits", inputs="values")}).to(device)
    settings = {"length": length, "epochs": epochs, "batch_size": batch_size, "seed": seed, "device": device,
                "learning_rate": learning_rate, "train_examples": sum(map(len, train)),
                "test_examples": len(test)}  # fmt: skip
    run = Run(output, f"Forth sort, lists of {length}", {"list_accuracy": "lists of 8"}, settings, network)
    fit(
        run,
        model,
        lambda: reshuffled(train),
        lambda queries: -model.query(queries).log_probs.mean(),
        lambda: {"list_accuracy": filled_accuracy(rules, network, test)},
        optimizer=torch.optim.Adam(network.parameters(), lr=learning_rate),
        epochs=epochs,
        examples=settings["train_examples"],
        progress=progress,
    )
    if long:
        queries = read(folder / f"train{length}_test64_test.txt", long)
        accuracy = filled_accuracy(rules, network, queries)
        print(f"lists of 64 digits: {accuracy:.2%} of {len(queries)}")
        run.finish(long_list_accuracy=accuracy, long_lists=len(queries))
    else:
        run.finish()


if __name__ == "__main__":
    typer.run(main)
