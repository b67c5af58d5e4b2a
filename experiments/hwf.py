"""Learn handwritten digits and operators from the values of formulas.

    python -m experiments.hwf --epochs 6

Formulas are those of the data set HWF, of 1, 3, 5 and 7 symbols, written with images of the data set of math symbols
(hwf and math_symbols below ``DEEPPLP_DATA``; 300 images of each symbol are kept for testing): not the images of HWF
itself. The label is the value; programs/hwf.pl says what formulas mean. A batch mixes formulas of all lengths,
each a query of its own, as one `query_many`: one call of the network for all their images. Those of one length share
one circuit, over all values that they can have: 9, 94, 897 or 8,268.

To test, the most probable value of each formula is compared with its own; where formulas are longer than those learnt
from (``--longest 5``), the value of the most probable symbols.

With seed 0, formulas of 1, 3, 5 and 7 symbols had the right value in 99.0, 95.5, 97.3 and 94.3 %, 95.5 % of all, on
two threads, and in 99.0, 96.5, 97.3 and 94.7 % on one: sums of floating-point numbers depend on their number. With seed
1 it was 98.0, 97.0, 97.3 and 95.7 % on one (6 epochs, 1.7 GB at most). A reader that learns from the labels of single
symbols reads 99.05 % of them, and 0.9905^7 is 93.5 %.
"""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn

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
)

SYMBOLS = "123456789+-*/"
NAMES = {"+": "plus", "-": "minus", "*": "dot", "/": "slash"}
DIGITS = 9  # the first symbols
TEST_IMAGES = 300  # of the 1,500 of each symbol


@dataclass(frozen=True)
class Formula:
    """Symbols, an image of each as its index, and the value."""

    symbols: str
    images: tuple[int, ...]
    value: Fraction

    @property
    def names(self) -> list[str]:
        """The names of its images as inputs."""
        return [f"s{i}" for i in range(len(self.symbols))]

    @property
    def answer(self) -> str:
        """The query's answer that is right."""
        return f"formula([{', '.join(self.names)}],{self.value.numerator}/{self.value.denominator})"


def value_of(symbols: str) -> Fraction:
    """The exact value of a formula: * and / first, from the left."""
    total, product = Fraction(0), Fraction(int(symbols[0]))
    for operator, digit in zip(symbols[1::2], symbols[2::2], strict=True):
        match operator:
            case "*":
                product *= int(digit)
            case "/":
                product /= int(digit)
            case _:
                total, product = total + product, Fraction(int(operator + digit))
    return total + product


def load_symbols(seed: int) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """Images [27000, 1, 28, 28], white on black, and where those of each symbol are, to train and to test."""
    with np.load(data_folder("math_symbols") / "bhmsds.npz") as data:
        images = (255 - torch.from_numpy(data["images"]).float()).unsqueeze(1) / 255
        labels, names = torch.from_numpy(data["labels"].astype(np.int64)), list(data["names"])
    random = torch.Generator().manual_seed(seed)
    train, test = {}, {}
    for symbol in SYMBOLS:
        places = (labels == names.index(NAMES.get(symbol, symbol))).nonzero().flatten()
        places = places[torch.randperm(len(places), generator=random)]
        test[symbol], train[symbol] = places[:TEST_IMAGES], places[TEST_IMAGES:]
    return (images - 0.1) / 0.3, train, test


def read(file: Path, places: Mapping[str, Tensor], seed: int, limit: int) -> list[Formula]:
    """The formulas of a file, at most ``limit`` of a length, each symbol with an image of its own, drawn at random."""
    random = torch.Generator().manual_seed(seed)
    counts: Counter[int] = Counter()
    found = []
    for entry in json.loads(gzip.decompress(file.read_bytes())):
        symbols: str = entry["expr"]
        counts[len(symbols)] += 1
        if not limit or counts[len(symbols)] <= limit:
            drawn = (places[s][torch.randint(len(places[s]), (), generator=random)] for s in symbols)
            found.append(Formula(symbols, tuple(map(int, drawn)), value_of(symbols)))
    return found


def symbol_reader() -> nn.Sequential:
    """Images [n, 1, 28, 28] to logits [n, 13]."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),  # [n, 16, 14, 14]
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),  # [n, 32, 7, 7]
        nn.Conv2d(32, 48, 3, padding=1),
        nn.BatchNorm2d(48),
        nn.ReLU(),
        nn.MaxPool2d(2),  # [n, 48, 3, 3]
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(432, len(SYMBOLS)),
    )


class Reader:
    """The program, its network, and what is asked of them."""

    def __init__(self, network: nn.Module, images: Tensor, longest: int, device: str) -> None:
        self.images = images.to(device)
        self.longest = longest
        self.network = network.to(device)
        program = deepplp.Program.from_file(PROGRAMS / "hwf.pl")
        self.model = deepplp.Model(program, {"symbol": deepplp.Network(self.network, "logits")}).to(device)

    def query(self, formula: Formula) -> deepplp.Query:
        """The values that a formula may have."""
        inputs = {name: self.images[i : i + 1] for name, i in zip(formula.names, formula.images, strict=True)}
        return deepplp.Query(f"formula([{', '.join(formula.names)}], Value)", inputs)

    def answers(self, formulas: Sequence[Formula]) -> deepplp.ManyAnswers:
        """The values that each formula may have: one call of the network for all images of all formulas."""
        return self.model.query_many([self.query(f) for f in formulas])

    def loss(self, formulas: Sequence[Formula]) -> Tensor:
        """The mean of -log P(value)."""
        return -self.answers(formulas).log_prob([f.answer for f in formulas]).mean()

    def right(self, formulas: Sequence[Formula]) -> Counter[int]:
        """How many formulas' values are right, by length."""
        found: Counter[int] = Counter()
        for batch in in_batches([f for f in formulas if len(f.symbols) <= self.longest], 100):
            for formula, answers in zip(batch, self.answers(batch), strict=True):
                found[len(formula.symbols)] += answers.terms[int(answers.probs.argmax())] == formula.answer
        for batch in in_batches([f for f in formulas if len(f.symbols) > self.longest], 100):
            for formula, symbols in zip(batch, self.most_probable(batch), strict=True):
                found[len(formula.symbols)] += value_of(symbols) == formula.value
        return found

    def most_probable(self, formulas: Sequence[Formula]) -> list[str]:
        """Each formula's most probable symbols, digits at the even places and operators at the odd ones."""
        outputs = self.network(self.images[[i for f in formulas for i in f.images]]).cpu()
        digits = outputs[:, :DIGITS].argmax(dim=1).tolist()
        operators = (outputs[:, DIGITS:].argmax(dim=1) + DIGITS).tolist()
        found, first = [], 0
        for formula in formulas:
            places = range(len(formula.symbols))
            found.append("".join(SYMBOLS[(operators if i % 2 else digits)[first + i]] for i in places))
            first += len(formula.symbols)
        return found


def main(
    epochs: Epochs = 6,
    longest: Annotated[int, typer.Option(min=1, max=7, help="Symbols of the longest formulas to learn from.")] = 7,
    batch_size: BatchSize = 32,
    seed: Seed = 0,
    device: Device = "cpu",
    learning_rate: LearningRate = 1e-3,
    limit: Limit = 0,
    output: Output = Path("runs/hwf"),
    progress: Progress = None,
) -> None:
    """Train a reader of symbols from formulas' values, and test it after every epoch, by length."""
    torch.manual_seed(seed)
    folder = data_folder("hwf")
    images, train_places, test_places = load_symbols(seed)
    train = read(folder / "expr_train.json.gz", train_places, seed, limit)
    train = [formula for formula in train if len(formula.symbols) <= longest]
    test = read(folder / "expr_test.json.gz", test_places, seed + 1, limit)
    of_length = Counter(len(formula.symbols) for formula in test)
    reader = Reader(symbol_reader(), images, longest, device)
    started = time.perf_counter()
    alike = {len(formula.symbols): formula for formula in train}
    reader.model.prepare([reader.query(f) for f in alike.values()], jobs=1)
    seconds = time.perf_counter() - started
    print(f"{len(alike)} structures in {seconds:.1f} s")

    def measure() -> dict[str, float]:
        right = reader.right(test)
        by_length = {f"value_accuracy_{n}": right[n] / of_length[n] for n in sorted(of_length)}
        return {"value_accuracy": right.total() / len(test), **by_length}

    settings = {"epochs": epochs, "longest": longest, "batch_size": batch_size, "seed": seed, "device": device,
                "learning_rate": learning_rate, "train_examples": len(train), "test_examples": len(test)}  # fmt: skip
    shown = {"value_accuracy": "all", **{f"value_accuracy_{n}": f"{n} symbols" for n in sorted(of_length)}}
    run = Run(output, f"Handwritten formulas, learnt from up to {longest} symbols", shown, settings, reader.network)
    optimizer = torch.optim.Adam(reader.network.parameters(), lr=learning_rate)
    fit(
        run,
        reader.model,
        lambda: in_batches(reshuffled(train), batch_size),
        reader.loss,
        measure,
        optimizer=optimizer,
        schedule=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
        epochs=epochs,
        examples=len(train),
        progress=progress,
    )
    run.finish(structures_seconds=seconds)


if __name__ == "__main__":
    typer.run(main)
