"""Learn to add from sums: the holes of addition by columns, filled by two networks.

    python -m experiments.forth_add --digits 1 --epochs 40

programs/forth_add.pl is trained on numbers of 1, 2 or 4 digits and their sums; what a single column comes to is never
seen. Every example is a query of its own, since its numbers are part of the program's terms; a batch of them is one
circuit with many answers, ground once.

To test, the holes are filled with what the networks have learnt, as facts result(A, B, Carry, R) and carry(A, B,
Carry, C), and the program without its networks adds numbers of 4 and of 32 digits.

With seed 0, all sums of 4 and of 32 digits are right after 40 epochs, for each of the three lengths (20 s on one
core).
"""

from __future__ import annotations

import itertools
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


class Column(nn.Module):
    """Two digits and a carry to logits [n, outputs].

    It sees which digits there are, not which of them comes first: that much is known of a sum.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, outputs))

    def forward(self, a: Sequence[int], b: Sequence[int], carry: Sequence[int]) -> Tensor:
        """One value a row, as the program's terms have them."""
        digits = torch.tensor([a, b, carry], device=self.layers[0].weight.device)  # [3, n]
        counts = functional.one_hot(digits[0], 10) + functional.one_hot(digits[1], 10)
        return self.layers(torch.cat([counts, functional.one_hot(digits[2], 2)], dim=1).float())


def read(file: Path, limit: int) -> list[str]:
    """The examples of a file, as queries; the same example twice is one."""
    terms = dict.fromkeys(line.strip().removesuffix(".") for line in file.read_text().splitlines() if line.strip())
    return list(terms)[: limit or None]


@torch.no_grad()
def decisions(networks: nn.ModuleDict) -> str:
    """The facts that the networks find most probable, for all digits and carries."""
    inputs = list(itertools.product(range(10), range(10), range(2)))
    facts = []
    for name in ("result", "carry"):
        best = networks[f"{name}_net"](*zip(*inputs, strict=True)).argmax(dim=1).tolist()
        facts += [f"{name}({a}, {b}, {c}, {r})." for (a, b, c), r in zip(inputs, best, strict=True)]
    return " ".join(facts)


def filled_accuracy(rules: deepplp.Program, networks: nn.ModuleDict, queries: Sequence[str]) -> float:
    """The share of sums that the rules prove with the networks' decisions as facts."""
    return float(deepplp.Model(rules).query(queries, facts=decisions(networks)).probs.mean())


def main(
    digits: Annotated[int, typer.Option(help="Digits of the numbers to learn from: 1, 2 or 4.")] = 1,
    epochs: Epochs = 40,
    batch_size: BatchSize = 16,
    seed: Seed = 0,
    device: Device = "cpu",
    learning_rate: LearningRate = 0.01,
    limit: Limit = 0,
    long: Annotated[int, typer.Option(min=0, help="Sums of two 32-digit numbers to test on, at the end.")] = 64,
    output: Output = Path("runs/forth_add"),
    progress: Progress = None,
) -> None:
    """Train columns of a sum from whole sums, and test them after every epoch on numbers of 4 digits."""
    torch.manual_seed(seed)
    folder = data_folder("forth/add")
    train = in_batches(read(folder / f"train{2 * digits}_test8_train.txt", limit), batch_size)
    test = read(folder / f"train{2 * digits}_test8_test.txt", limit or 128)
    networks = nn.ModuleDict({"result_net": Column(10), "carry_net": Column(2)}).to(device)
    program = deepplp.Program.from_file(PROGRAMS / "forth_add.pl")
    rules = rules_of(program)
    wrapped = {n: deepplp.Network(m, "logits", inputs="values") for n, m in networks.items()}
    model = deepplp.Model(program, wrapped).to(device)
    settings = {"digits": digits, "epochs": epochs, "batch_size": batch_size, "seed": seed, "device": device,
                "learning_rate": learning_rate, "train_examples": sum(map(len, train)),
                "test_examples": len(test)}  # fmt: skip
    run = Run(output, f"Forth add, numbers of {digits} digits", {"sum_accuracy": "4 digits"}, settings, networks)
    fit(
        run,
        model,
        lambda: reshuffled(train),
        lambda queries: -model.query(queries).log_probs.mean(),
        lambda: {"sum_accuracy": filled_accuracy(rules, networks, test)},
        optimizer=torch.optim.Adam(networks.parameters(), lr=learning_rate),
        epochs=epochs,
        examples=settings["train_examples"],
        progress=progress,
    )
    if long:
        queries = read(folder / f"train{2 * digits}_test64_test.txt", long)
        accuracy = filled_accuracy(rules, networks, queries)
        print(f"sums of 32 digits: {accuracy:.2%} of {len(queries)}")
        run.finish(long_sum_accuracy=accuracy, long_sums=len(queries))
    else:
        run.finish()


if __name__ == "__main__":
    typer.run(main)
