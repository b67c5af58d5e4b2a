"""What the experiments share: the training loop, and the folder in which a run leaves its results.

A run leaves in its output folder: results.json (settings, accuracies and times of every epoch), curve.png, and
checkpoint.safetensors, all of them brought up to date after every epoch.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import matplotlib as mpl
import torch
import typer
from matplotlib.figure import Figure
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

import deepplp

__all__ = [
    "PROGRAMS",
    "BatchSize",
    "Device",
    "Epochs",
    "LearningRate",
    "Limit",
    "Output",
    "Progress",
    "Run",
    "Seed",
    "fit",
    "in_batches",
    "observed",
    "reshuffled",
    "rules_of",
    "shuffled",
]

PROGRAMS = Path(__file__).parent.parent / "programs"

BatchSize = Annotated[int, typer.Option(min=1)]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
Epochs = Annotated[int, typer.Option(min=1)]
LearningRate = Annotated[float, typer.Option(min=0.0)]
Limit = Annotated[int, typer.Option(min=0, help="Use only so many training and test examples; 0 for all.")]
Output = Annotated[Path, typer.Option(help="Folder for results, curve and checkpoint.")]
Progress = Annotated[bool | None, typer.Option(help="Show a progress bar; by default on a terminal.")]
Seed = Annotated[int, typer.Option(help="Seeds the networks, the data and the shuffling.")]

Item = TypeVar("Item")


class Run:
    """The folder in which a run leaves its results.

    ``shown`` maps the measures that the curve shows to their labels; they are accuracies between 0 and 1.
    """

    def __init__(
        self, folder: Path, title: str, shown: Mapping[str, str], settings: Mapping[str, Any], weights: nn.Module
    ) -> None:
        self.folder = folder
        self.title = title
        self.shown = shown
        self.settings = {**settings, "deepplp": deepplp.__version__, "torch": torch.__version__}
        self.weights = weights
        self.epochs: list[dict[str, float]] = []
        self.final: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def record(self, measures: Mapping[str, float], say: Callable[[str], object] = print) -> None:
        """Add an epoch's measures, and write everything that an interrupted run should keep."""
        self.epochs.append({"epoch": len(self.epochs) + 1, **measures})
        accuracies = ", ".join(f"{label} {measures[key]:.2%}" for key, label in self.shown.items())
        say(
            f"epoch {len(self.epochs)}: loss {measures['loss']:.4f}, {accuracies}, {measures['seconds']:.1f} s "
            f"({measures['examples_per_second']:.0f} examples/s)"
        )
        weights = {k: v.detach().cpu().contiguous() for k, v in self.weights.state_dict().items()}
        self._replace("checkpoint.safetensors", lambda path: save_file(weights, path))
        self._replace("curve.png", self._plot)
        self._write_results()

    def finish(self, **final: Any) -> None:
        """Add what was measured once, behind the last epoch."""
        self.final.update(final)
        self._write_results()
        print(f"results, learning curve and checkpoint are in {self.folder}")

    def _write_results(self) -> None:
        results = {"settings": self.settings, "epochs": self.epochs, **({"final": self.final} if self.final else {})}
        self._replace("results.json", lambda path: path.write_text(json.dumps(results, indent=2) + "\n"))

    def _replace(self, name: str, write: Callable[[Path], Any]) -> None:
        """Write beside and rename: a reader, or an interruption, never sees half a file."""
        beside = self.folder / f".{name}"
        write(beside)
        beside.replace(self.folder / name)

    def _plot(self, path: Path) -> None:
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot()
        epochs = [e["epoch"] for e in self.epochs]
        for key, label in self.shown.items():
            axes.plot(epochs, [100 * e[key] for e in self.epochs], marker="o", label=label)
        axes.set(xlabel="epoch", ylabel="test accuracy (%)", title=self.title)
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
        figure.savefig(path, format="png", dpi=120)


def fit(
    run: Run,
    model: nn.Module,
    batches: Callable[[], Iterable[Item]],
    loss: Callable[[Item], Tensor],
    test: Callable[[], Mapping[str, float]],
    *,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    examples: int,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    progress: bool | None = None,
) -> None:
    """Train: each epoch goes once through ``batches()``, then ``test()`` measures without gradients.

    ``loss`` is the mean of -log P over a batch; ``examples`` is how many an epoch has.
    """
    hidden = not (sys.stdout.isatty() if progress is None else progress)
    for epoch in range(1, epochs + 1):
        model.train()
        losses = []
        started = time.perf_counter()
        for batch in tqdm(batches(), desc=f"epoch {epoch}", leave=False, disable=hidden):
            optimizer.zero_grad()
            value = loss(batch)
            value.backward()
            optimizer.step()
            losses.append(value.detach())
        if schedule is not None:
            schedule.step()
        seconds = time.perf_counter() - started
        model.eval()
        with torch.no_grad():
            measures = test()
        mean = float(torch.stack(losses).mean())
        rates = {"seconds": seconds, "examples_per_second": examples / seconds}
        run.record({"loss": mean, **measures, **rates}, tqdm.write)


def shuffled(count: int, batch_size: int) -> Sequence[Tensor]:
    """The indices of ``count`` examples in batches, in a new order every time (of the global seed)."""
    return torch.randperm(count).split(batch_size)


def in_batches(items: Sequence[Item], batch_size: int) -> list[Sequence[Item]]:
    """Batches whose members stay together, so that each batch of queries is ground and compiled once."""
    return [items[i : i + batch_size] for i in range(0, len(items), batch_size)]


def reshuffled(batches: Sequence[Item]) -> list[Item]:
    """The same batches in a new order (of the global seed)."""
    return [batches[i] for i in torch.randperm(len(batches)).tolist()]


def rules_of(program: deepplp.Program) -> deepplp.Program:
    """A program without its networks: with facts in their place, it is what a network has learnt, as plain rules."""
    return dataclasses.replace(program, statements=tuple(s for s in program.statements if s.neural is None))


def observed(size: int) -> Callable[[Tensor], Tensor]:
    """A network that is always certain: whole numbers [n] that are known to one-hot rows [n, size]."""
    return lambda values: functional.one_hot(values, size).float()
