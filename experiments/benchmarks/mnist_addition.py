"""MNIST addition: training speed against a loss written by hand, the network alone, and DeepProbLog, in one run.

    python -m experiments.benchmarks.mnist_addition
    python -m experiments.benchmarks.mnist_addition --digits 15 --batch-size 64 --deepproblog 0

All rivals have the same LeNet, optimiser and batches. "by hand" is the outer product of the two digits' distributions
for one digit, and a vectorised dynamic programme over the carries for more; "network" is the network with a loss that
costs nothing. DeepProbLog adds one digit here, and gets a bounded number of examples after a warm-up that fills its
cache; for two digits see number_addition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from experiments.benchmarks.rivals import Loss, carry_chain_loss, deepproblog_pairs_per_second, outer_product_loss
from experiments.benchmarks.table import Comparison, Measured, report, show
from experiments.benchmarks.timing import median_seconds
from experiments.data import Additions, Digits, load_digits, sum_digits
from experiments.mnist_addition import Addition
from experiments.networks import lenet


def network_loss(network: nn.Module) -> Loss:
    """A loss that costs next to nothing: what remains is the network."""
    return lambda images, shown: network(images.flatten(0, 2)).square().mean()


def trainer(loss: Loss, network: nn.Module, batches: list[tuple[Tensor, Tensor]]) -> Callable[[], None]:
    """One pass over the batches with Adam."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def run() -> None:
        for images, shown in batches:
            optimizer.zero_grad()
            loss(images, shown).backward()
            optimizer.step()
        if images.is_cuda:
            torch.cuda.synchronize(images.device)

    return run


def rivals(digits: int, device: str = "cpu") -> dict[str, tuple[Loss, nn.Module]]:
    """The losses and their networks on a device, all from one seed."""
    made: dict[str, tuple[Loss, nn.Module]] = {}
    for name in ("deepplp", "by hand", "network"):
        torch.manual_seed(0)
        if name == "deepplp":
            addition = Addition(digits, 1e-3).to(device)
            made[name] = (addition.loss, addition.network)
            continue
        network = lenet().to(device)
        if name == "network":
            loss = network_loss(network)
        else:
            one = digits == 1
            loss = outer_product_loss(network, device) if one else carry_chain_loss(network, digits, device)
        made[name] = (loss, network)
    return made


def check_agreement(made: dict[str, tuple[Loss, nn.Module]], batch: tuple[Tensor, Tensor]) -> None:
    """The two exact losses must be the same number, or one of them is wrong."""
    ours, theirs = (float(made[name][0](*batch).detach()) for name in ("deepplp", "by hand"))
    if abs(ours - theirs) > 1e-3 * abs(theirs):
        raise SystemExit(f"the losses differ: deepplp {ours}, by hand {theirs}")


def measure(
    data: Digits, digits: int, batch_size: int, examples: int, repeats: int, deepproblog: int, device: str = "cpu"
) -> dict[str, Any]:
    """The figures of one setting; the data are on the device."""
    draw = Additions.draw(data.train_images, data.train_labels, digits, batch_size, seed=0, limit=examples)
    batches = list(draw)
    made = rivals(digits, device)
    check_agreement(made, batches[0])
    count = len(draw.numbers)
    seconds = median_seconds({n: trainer(loss, net, batches) for n, (loss, net) in made.items()}, repeats)
    row: dict[str, Any] = {"digits": digits, "batch_size": batch_size, "examples": count}
    row |= {f"{name} examples/s": count / s for name, s in seconds.items()}
    if deepproblog and digits == 1:
        every = Additions.draw(data.train_images, data.train_labels, 1, deepproblog, seed=1, limit=deepproblog)
        row["DeepProbLog examples/s"] = deepproblog_pairs_per_second(lenet(), *next(iter(every)), batch_size)
    return row


def comparisons(row: dict[str, Any]) -> list[Comparison]:
    """The rows of the common table."""
    n, ours = row["digits"], row["deepplp examples/s"]
    case = f"MNIST addition, {n} digit{'s' if n > 1 else ''}, batch {row['batch_size']}"
    by_hand = "by hand: outer product" if n == 1 else "by hand: dynamic programme"
    found = [
        Comparison(case, "/s", ours, by_hand, row["by hand examples/s"], target=1.0),
        Comparison(case, "/s", ours, "the network alone", row["network examples/s"], target=1 / 1.1),
    ]
    if "DeepProbLog examples/s" in row:
        found.append(Comparison(case, "/s", ours, "DeepProbLog", row["DeepProbLog examples/s"], target=100.0))
    return found


def accuracy(data: Digits, digits: int, batch_size: int) -> dict[str, Any]:
    """Sum accuracy on the test pairs after one epoch, from one seed and in one order of batches."""
    test = next(iter(Additions.draw(data.test_images, data.test_labels, digits, 10**6, seed=0, train=False)))
    row: dict[str, Any] = {"digits": digits, "batch_size": batch_size}
    for name, (loss, network) in rivals(digits).items():
        if name == "network":
            continue
        torch.manual_seed(0)
        train = Additions.draw(data.train_images, data.train_labels, digits, batch_size, seed=0)
        trainer(loss, network, list(train))()
        with torch.no_grad():
            p = network(test[0].flatten(0, 2)).reshape(*test[1].shape, 10)
        if digits == 1:
            joint = p[:, 0, 0, :, None] * p[:, 1, 0, None, :]
            sums = (torch.arange(10)[:, None] + torch.arange(10)).reshape(-1)
            found = torch.zeros(len(p), 19).index_add(1, sums, joint.flatten(1)).argmax(1)
            right = found == test[1].sum(dim=(1, 2))
        else:
            right = (sum_digits(p.argmax(-1)) == sum_digits(test[1])).all(dim=1)
        row[f"{name} sum accuracy"] = float(right.float().mean())
    return row


def suite(
    digits: Sequence[int] = (1, 2, 4, 15, 30),
    batch_sizes: Sequence[int] = (),
    examples: int = 3200,
    repeats: int = 21,
    deepproblog: int = 192,
    with_accuracy: Sequence[int] = (1,),
) -> Measured:
    """Training speed for each number of digits, and the accuracy of the sums after one epoch for some."""
    data = load_digits()
    found = Measured()
    for n in digits:
        for size in batch_sizes or ([2, 32, 128] if n == 1 else [32]):
            bounded = max(size, examples // n // (4 if size < 8 else 1))
            row = measure(data, n, size, bounded, repeats, deepproblog if size == 32 else 0)
            found.details.append(row)
            found.comparisons += comparisons(row)
            show(row)
    for n in with_accuracy:
        found.details.append(accuracy(data, n, 32))
        show(found.details[-1])
    return found


def main(
    digits: Annotated[list[int] | None, typer.Option(help="Digits a number; repeat for several.")] = None,
    batch_size: Annotated[list[int] | None, typer.Option(help="Repeat for several.")] = None,
    examples: Annotated[int, typer.Option(help="Examples a round; fewer where images are fewer.")] = 3200,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 21,
    deepproblog: Annotated[int, typer.Option(help="Examples for DeepProbLog; 0 leaves it out.")] = 192,
    with_accuracy: Annotated[bool, typer.Option(help="Also train one epoch and compare accuracies.")] = True,
    output: Annotated[Path, typer.Option()] = Path("runs/benchmarks/mnist_addition.json"),
) -> None:
    """Measure and print, one block a setting."""
    numbers = digits or [1, 2, 4, 15, 30]
    tested = (digits or [1]) if with_accuracy else []
    report(output, {"mnist_addition": suite(numbers, batch_size or (), examples, repeats, deepproblog, tested)})


if __name__ == "__main__":
    typer.run(main)
