"""A device other than the CPU: are its kernels right, and how fast are they? One command of some minutes.

    python -m experiments.benchmarks.device
    python -m experiments.benchmarks.device --minutes 3 --device cuda:1
    python -m experiments.benchmarks.device --device cpu --minutes 1    # tries the script where there is no GPU

First every reading of every circuit of the circuits benchmark, and its gradients, is compared with the CPU kernel's:
plain rows, rows that underflow, and rows whose evidence is impossible. Then the kernels are timed beside KLay on the
same device, and MNIST addition beside the loss by hand. What the time does not suffice for is named. Nothing is
downloaded: without MNIST the digits are random images, on which a training step takes as long.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from deepplp.circuit import Plan, bind
from deepplp.evaluation import Evaluation
from experiments.benchmarks import circuits, mnist_addition
from experiments.benchmarks.table import Comparison, Measured, report, show
from experiments.data import Digits, load_digits
from experiments.datasets import data_root
from experiments.training import Device

READINGS = ("log_probs", "probs", "log_evidence")
LARGEST_DIFFERENCE = 1e-9  # relative, of values and of gradients, from the CPU kernel's
ROWS = 67  # two blocks of rows and three rows more
KERNEL_BATCHES = (64, 1024, 4096)
TRAINING = ((1, 32), (1, 512), (1, 4096), (2, 32), (2, 512), (2, 4096), (15, 32), (15, 512))  # digits, batch size


class WrongResultError(SystemExit):
    """A kernel computes something else than the CPU's."""


@dataclass
class Clock:
    """The time that there is, and what it did not suffice for."""

    seconds: float
    started: float = field(default_factory=time.perf_counter)
    left_out: list[str] = field(default_factory=list)

    def has_time(self, what: str, share: float = 1.0) -> bool:
        """Whether less than a share of the time is used up; if not, what is left out is remembered."""
        if time.perf_counter() - self.started < share * self.seconds:
            return True
        self.left_out.append(what)
        return False


def weights_of(subject: circuits.Subject) -> Iterator[tuple[str, Tensor]]:
    """Weights [rows, columns]: random distributions, tiny ones, of which products underflow, and certain ones."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.from_numpy(subject.circuit.column_offsets).diff().tolist()
    drawn = torch.cat([torch.rand(ROWS, k, generator=generator, dtype=torch.float64).softmax(1) for k in sizes], dim=1)
    yield "distributions", drawn
    yield "tiny", torch.where(torch.arange(ROWS)[:, None] % 2 == 0, drawn * 1e-60, drawn)
    largest = [block == block.amax(dim=1, keepdim=True) for block in drawn.split(sizes, dim=1)]
    yield "certain", torch.cat(largest, dim=1).double()


def results(plan: Plan, weights: Tensor) -> dict[str, Tensor]:
    """All readings and, of each, the gradient of a mixture of its finite entries, on the CPU."""
    found: dict[str, Tensor] = {}
    for reading in READINGS:
        leaf = weights.clone().requires_grad_()
        value = getattr(Evaluation(plan, leaf, leaf.new_empty(0)), reading)()
        mix = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).reshape(value.shape).to(value.device)
        (mix * torch.nan_to_num(value, 0.0, 0.0, 0.0)).sum().backward()
        found[reading] = value.detach().cpu()
        found[f"gradient of {reading}"] = torch.zeros(leaf.shape) if leaf.grad is None else leaf.grad.cpu()
    return found


def difference(found: Tensor, expected: Tensor) -> float:
    """The largest difference of two tensors, relative to 1 or to the expected number; infinite for other NaNs."""
    if not torch.equal(found.isnan(), expected.isnan()):
        return float("inf")
    known = ~expected.isnan() & (found != expected)
    if not bool(known.any()):
        return 0.0
    apart = (found[known] - expected[known]).abs() / expected[known].abs().clamp(min=1.0)
    return float(apart.nan_to_num(nan=float("inf"), posinf=float("inf")).max())  # from an infinity, all is far


def check(subject: circuits.Subject, device: str) -> dict[str, Any]:
    """The largest differences of a circuit's readings and gradients on the device from those on the CPU."""
    plan = bind(subject.circuit)
    row: dict[str, Any] = {"check": subject.name, "nodes": subject.circuit.nodes}
    for kind, weights in weights_of(subject):
        expected, found = results(plan, weights), results(plan, weights.to(device))
        apart = {name: difference(found[name], expected[name]) for name in expected}
        worst = max(apart, key=apart.__getitem__)
        row[kind] = apart[worst]
        if not apart[worst] <= LARGEST_DIFFERENCE:
            raise WrongResultError(f"{subject.name}, {kind} weights: {worst} on {device} is {apart[worst]:.3g} off")
    return row


def digits_on(device: str) -> Digits:
    """MNIST from ``DEEPPLP_DATA``, else random images and labels in its shapes."""
    if data_root() is not None:
        return load_digits().to(device)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(60_000, 1, 28, 28, generator=generator)
    labels = torch.randint(10, (60_000,), generator=generator)
    return Digits("random images", images, labels, images[:100], labels[:100]).to(device)


def suite(device: str, minutes: float, repeats: int = 11) -> Measured:
    """Check, then measure as much as the time suffices for."""
    clock, found = Clock(60 * minutes), Measured()
    if device.startswith("cuda"):
        found.details.append({"device": torch.cuda.get_device_name(device)})
        show(found.details[-1])
    subjects = []
    for subject in circuits.subjects(()):
        if clock.has_time(f"check of {subject.name}", 0.4):
            subjects.append(subject)
            found.details.append(check(subject, device))
            show(found.details[-1])
    with_klay = find_spec("klay") is not None
    if not with_klay:
        print("KLay is not installed, so that the kernels are timed without it; pip install 'deepplp[bench]' brings it")
    for batch in KERNEL_BATCHES:
        for subject in subjects:
            if clock.has_time(f"kernel of {subject.name}, batch {batch}", 0.7):
                row = circuits.measure(subject, batch, repeats, compiled=False, device=device, with_klay=with_klay)
                found.details.append(row)
                found.comparisons += circuits.comparisons(row)
                show(row)
    data = digits_on(device)
    for digits, batch in TRAINING:
        if clock.has_time(f"MNIST addition of {digits} digits, batch {batch}"):
            row = mnist_addition.measure(data, digits, batch, min(8192, 2 * batch * 16), repeats, 0, device)
            found.details.append({"data": data.name, **row})
            found.comparisons += [on_device(c, device) for c in mnist_addition.comparisons(row)]
            show(row)
    if clock.left_out:
        found.details.append({"left out for want of time": ", ".join(clock.left_out)})
        show(found.details[-1])
    return found


def on_device(comparison: Comparison, device: str) -> Comparison:
    """A row of the common table that says where it was measured."""
    where = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return Comparison(
        f"{comparison.case}, {where}", comparison.unit, comparison.deepplp, comparison.peer, comparison.figure,
        comparison.target,
    )  # fmt: skip


def main(
    device: Device = "cuda",
    minutes: Annotated[float, typer.Option(min=0.1, help="How long it may take, about.")] = 7.0,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 11,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/device.json"),
) -> None:
    """Check and measure, print one table, and write all figures as JSON."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise typer.BadParameter("there is no CUDA device here; --device cpu tries the script without one")
    report(output, {"device": suite(device, minutes, repeats)})


if __name__ == "__main__":
    typer.run(main)
