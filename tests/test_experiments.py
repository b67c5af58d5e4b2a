"""The experiments' data, and a short run on the digits that need no download."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

from experiments.benchmarks.rivals import carry_chain_loss, outer_product_loss
from experiments.data import Additions, load_digits, sum_digits
from experiments.mnist_addition import Addition

ROOT = Path(__file__).parent.parent


def test_sums_of_digits() -> None:
    """Digits of sums are those of the sum of the numbers, least significant first."""
    shown = torch.randint(0, 10, (200, 2, 5))
    place = 10 ** torch.arange(6)
    expected = (shown * place[:5]).sum(dim=(1, 2))
    torch.testing.assert_close((sum_digits(shown) * place).sum(dim=1), expected)


def test_pairing_uses_every_image_once() -> None:
    """Examples are dealt from a seeded shuffle without repetition: the same seed, the same examples."""
    images, labels = torch.rand(101, 1, 28, 28), torch.randint(0, 10, (101,))
    one, two = (Additions.draw(images, labels, 2, 8, seed=3, train=False) for _ in range(2))
    assert torch.equal(one.numbers, two.numbers)
    assert len(one.numbers) == 25
    assert len(one.numbers.unique()) == 100
    batches = list(one)
    assert len(batches) == len(one) == 4
    torch.testing.assert_close(batches[0][1], labels[one.numbers[:8]])


def test_losses_by_hand_are_ours() -> None:
    """The losses that the benchmark compares are one number: ours and those written by hand."""
    for digits in (1, 3):
        addition = Addition(digits, 1e-3)
        images, shown = torch.rand(6, 2, digits, 1, 28, 28), torch.randint(0, 10, (6, 2, digits))
        by_hand = outer_product_loss(addition.network) if digits == 1 else carry_chain_loss(addition.network, digits)
        torch.testing.assert_close(addition.loss(images, shown).float(), by_hand(images, shown), rtol=1e-4, atol=1e-5)


def test_a_run_leaves_its_results(tmp_path: Path) -> None:
    """An experiment without MNIST says so in one line, trains on the small digits, and leaves results."""
    folder = tmp_path / "nothing"
    folder.mkdir()
    environment = {
        "PATH": "/usr/bin:/bin",
        "DEEPPLP_DATA": str(folder),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }
    output = tmp_path / "run"
    command = [sys.executable, "-m", "experiments.mnist_addition", "--epochs", "2", "--no-progress", "--output", output]
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, cwd=ROOT, timeout=300, check=True, env=environment
    )
    notices = [line for line in done.stderr.splitlines() if line.startswith("notice:")]
    assert len(notices) == 1
    assert "scikit-learn" in notices[0]
    results = json.loads((output / "results.json").read_text())
    assert [e["epoch"] for e in results["epochs"]] == [1, 2]
    assert {"sum_accuracy", "digit_accuracy", "seconds", "loss"} <= set(results["epochs"][0])
    assert (output / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert (output / "checkpoint.safetensors").stat().st_size > 10_000


def test_digits_are_standardised() -> None:
    """Whatever the source, images are [n, 1, 28, 28] and labels are digits."""
    data = load_digits()
    assert data.train_images.shape[1:] == data.test_images.shape[1:] == (1, 28, 28)
    assert int(data.train_labels.min()) == 0
    assert int(data.train_labels.max()) == 9
