"""Learn digits from sums: MNIST addition with numbers of any length.

    python -m experiments.mnist_addition --digits 1 --epochs 1
    python -m experiments.mnist_addition --digits 15 --epochs 10 --batch-size 2

The labels are sums; no image's own digit is ever seen. One digit a number uses programs/mnist_addition.pl and its 19
answers; more use the carry chain of programs/mnist_multi_digit_addition.pl, one circuit for all labels.

A run leaves results.json, curve.png and checkpoint.safetensors in its output folder: see experiments/training.py.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import lightning
import torch
import typer
from lightning.pytorch.callbacks import TQDMProgressBar
from torch import Tensor

import deepplp
from experiments.data import Additions, load_digits, sum_digits
from experiments.networks import lenet, observed_digit
from experiments.training import PROGRAMS, BatchSize, Device, LearningRate, Output, Progress, Run, Seed

Batch = tuple[Tensor, Tensor]


class Addition(lightning.LightningModule):
    """A model of sums: the loss is the negative log-probability of the observed sum."""

    def __init__(self, digits: int, learning_rate: float) -> None:
        super().__init__()
        self.digits = digits
        self.learning_rate = learning_rate
        self.network = lenet()
        if digits == 1:
            program = deepplp.Program.from_file(PROGRAMS / "mnist_addition.pl")
            self.model = deepplp.Model(program, {"mnist_net": self.network})
            self.sum_of = self.model.compile("addition(a, b, S)", inputs=["a", "b"])
        else:
            program = deepplp.Program.from_file(PROGRAMS / "mnist_multi_digit_addition.pl")
            self.model = deepplp.Model(program, {"mnist_net": self.network, "label": observed_digit})
        names = [[f"{letter}{i}" for i in range(digits + (letter == "z"))] for letter in "xyz"]
        self.query = f"addition([{','.join(names[0])}], [{','.join(names[1])}], [{','.join(names[2])}])"
        self.names = names

    def loss(self, images: Tensor, shown: Tensor) -> Tensor:
        """The mean of -log P(sum | images): images [batch, 2, digits, 1, 28, 28], digits shown [batch, 2, digits]."""
        if self.digits == 1:
            answers = self.sum_of(a=images[:, 0, 0], b=images[:, 1, 0])
            return -answers.log_prob(shown.sum(dim=(1, 2))).mean()
        labels = sum_digits(shown)  # [batch, digits + 1]
        inputs = {name: images[:, 0, i] for i, name in enumerate(self.names[0])}
        inputs |= {name: images[:, 1, i] for i, name in enumerate(self.names[1])}
        inputs |= {name: labels[:, i] for i, name in enumerate(self.names[2])}
        return -self.model.query(self.query, inputs).log_probs[:, 0].mean()

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """One batch's loss."""
        return self.loss(*batch)

    def on_validation_epoch_start(self) -> None:
        """Count anew."""
        self.right_sums = self.sums = self.right_digits = self.seen = 0

    def validation_step(self, batch: Batch, index: int) -> None:
        """Count right digits, and sums that come out right from the most probable ones."""
        images, shown = batch
        if self.digits == 1:
            answers = self.sum_of(a=images[:, 0, 0], b=images[:, 1, 0])
            right = answers.probs.argmax(dim=1) == shown.sum(dim=(1, 2))
        found = self.network(images.flatten(0, 2)).argmax(dim=1).reshape(shown.shape)
        if self.digits > 1:
            right = (sum_digits(found) == sum_digits(shown)).all(dim=1)
        self.right_sums += int(right.sum())
        self.sums += len(right)
        self.right_digits += int((found == shown).sum())
        self.seen += shown.numel()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, as in DeepProbLog's experiment."""
        return torch.optim.Adam(self.network.parameters(), lr=self.learning_rate)


class Recorder(lightning.Callback):
    """Records every epoch's losses, times and accuracies."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.losses: list[Tensor] = []

    def on_train_epoch_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Start the clock."""
        self.losses.clear()
        self.started = time.perf_counter()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, batch: Batch, index: int
    ) -> None:
        """Keep the loss."""
        self.losses.append(outputs["loss"].detach())

    def on_validation_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Training ends where testing starts."""
        self.trained = time.perf_counter()

    def on_validation_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Write down what this epoch came to."""
        assert isinstance(module, Addition)
        seconds = self.trained - self.started
        measures = {
            "loss": float(torch.stack(self.losses).mean()),
            "sum_accuracy": module.right_sums / module.sums,
            "digit_accuracy": module.right_digits / module.seen,
            "seconds": seconds,
            "examples_per_second": len(trainer.train_dataloader.numbers) / seconds,  # type: ignore[union-attr]
        }
        bar = trainer.progress_bar_callback
        self.run.record(measures, print if bar is None else bar.print)


def main(
    digits: Annotated[int, typer.Option(min=1, help="Digits of each of the two numbers.")] = 1,
    epochs: Annotated[int, typer.Option(min=0, help="0: 3 on MNIST, 60 on the small digits that replace it.")] = 0,
    batch_size: BatchSize = 32,
    seed: Seed = 0,
    device: Device = "cpu",
    learning_rate: LearningRate = 1e-3,
    limit: Annotated[int, typer.Option(min=0, help="Use only so many training examples; 0 for all.")] = 0,
    output: Output = Path("runs/mnist_addition"),
    progress: Progress = None,
) -> None:
    """Train a digit classifier from sums, and test it after every epoch."""
    warnings.filterwarnings(
        "ignore", module="lightning"
    )  # advice about loaders and loggers that this script does without
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    progress = sys.stdout.isatty() if progress is None else progress
    lightning.seed_everything(seed, verbose=False)
    data = load_digits().to(device)
    train = Additions.draw(data.train_images, data.train_labels, digits, batch_size, seed=seed, limit=limit)
    test = Additions.draw(data.test_images, data.test_labels, digits, 500, seed=seed, train=False)
    print(f"{data.name}: {len(train.numbers)} training and {len(test.numbers)} test sums of two {digits}-digit numbers")
    epochs = epochs or (3 if data.name == "MNIST" else 60)
    settings = {
        "data": data.name, "digits": digits, "epochs": epochs, "batch_size": batch_size, "seed": seed,
        "device": device, "learning_rate": learning_rate, "train_examples": len(train.numbers),
        "test_examples": len(test.numbers),
    }  # fmt: skip
    addition = Addition(digits, learning_rate)
    shown = {"sum_accuracy": "sums", "digit_accuracy": "digits"}
    run = Run(output, f"MNIST addition, digits a number: {digits}", shown, settings, addition.network)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator=device.partition(":")[0],
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=progress,
        num_sanity_val_steps=0,
        callbacks=[Recorder(run), *([TQDMProgressBar(refresh_rate=20)] if progress else [])],
    )
    trainer.fit(addition, train, test)
    run.finish()


if __name__ == "__main__":
    typer.run(main)
