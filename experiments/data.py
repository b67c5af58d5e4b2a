"""Handwritten digits, and sums of them.

MNIST comes from the folder that ``DEEPPLP_DATA`` names if it is set (it holds ``MNIST/raw`` with the four original
files, and may be read-only), else through torchvision's download into a cache folder, else, without a network, the 8x8
digits that scikit-learn ships take its place.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from platformdirs import user_cache_dir
from torch import Tensor
from torch.nn import functional
from torchvision.datasets import MNIST

from experiments.datasets import data_root

__all__ = ["Additions", "Digits", "load_digits", "sum_digits"]

_MEAN, _DEVIATION = 0.1307, 0.3081  # of MNIST's training images


@dataclass(frozen=True)
class Digits:
    """Images [n, 1, 28, 28], standardised, and labels [n], to train and to test on."""

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def to(self, device: str) -> Digits:
        """The same on another device."""
        tensors = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return Digits(self.name, *(t.to(device) for t in tensors))


def load_digits(cache: Path | None = None) -> Digits:
    """MNIST, or what takes its place where it cannot be had (one line on standard error says so)."""
    root = cache or Path(user_cache_dir("deepplp"))
    given = data_root()
    try:
        if given is not None:
            _copy_raw(given / "MNIST" / "raw", root / "MNIST" / "raw")
        # With files whose checksums are right, torchvision only extracts.
        train, test = (MNIST(str(root), train=t, download=True) for t in (True, False))
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        print(f"notice: no MNIST ({reason}); using the 8x8 digits of scikit-learn instead", file=sys.stderr)
        return _scikit_learn_digits()
    return Digits("MNIST", _standardise(train.data), train.targets, _standardise(test.data), test.targets)


def _copy_raw(source: Path, target: Path) -> None:
    files = sorted(source.glob("*.gz"))
    if not files:
        raise FileNotFoundError(f"{source} holds no MNIST files")
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not (target / file.name).exists():
            beside = target / f"{file.name}.{os.getpid()}"
            shutil.copyfile(file, beside)
            beside.replace(target / file.name)  # a run that is cut off leaves no half file


def _standardise(images: Tensor) -> Tensor:
    return ((images.float() / 255 - _MEAN) / _DEVIATION).unsqueeze(1)


def _scikit_learn_digits() -> Digits:
    from sklearn.datasets import load_digits as load

    data = load()
    images = torch.from_numpy(data.images).float() * (255 / 16)  # [1797, 8, 8]
    large = functional.interpolate(images.unsqueeze(1), size=(28, 28), mode="bilinear").squeeze(1)
    labels = torch.from_numpy(data.target).long()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:1437], order[1437:]
    return Digits("digits", _standardise(large[train]), labels[train], _standardise(large[test]), labels[test])


@dataclass(frozen=True)
class Additions:
    """Sums of two numbers of ``digits`` digits, least significant digit first: batches of a seeded shuffle.

    ``numbers`` [examples, 2, digits] are indices of images; every image is used once.
    """

    images: Tensor
    labels: Tensor
    numbers: Tensor
    batch_size: int
    shuffle_seed: int | None = None

    @classmethod
    def draw(
        cls,
        images: Tensor,
        labels: Tensor,
        digits: int,
        batch_size: int,
        *,
        seed: int,
        limit: int = 0,
        train: bool = True,
    ) -> Additions:
        """Deal the images out into examples, in a seeded order; ``limit`` keeps the first so many."""
        examples = len(images) // (2 * digits)
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        numbers = order[: examples * 2 * digits].reshape(examples, 2, digits)
        return cls(images, labels, numbers[:limit] if limit else numbers, batch_size, seed if train else None)

    def __len__(self) -> int:
        return -(-len(self.numbers) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Images [batch, 2, digits, 1, 28, 28] and the digits that they show [batch, 2, digits]."""
        order = torch.arange(len(self.numbers))
        if self.shuffle_seed is not None:
            order = order[torch.randperm(len(order))]  # the global seed: another order every epoch
        for chosen in order.split(self.batch_size):
            indices = self.numbers[chosen].to(self.images.device)
            yield self.images[indices], self.labels[indices]


def sum_digits(shown: Tensor) -> Tensor:
    """The digits [batch, digits + 1] of the sums of two numbers [batch, 2, digits], least significant first."""
    carry = torch.zeros_like(shown[:, 0, 0])
    result = []
    for i in range(shown.shape[2]):
        total = shown[:, 0, i] + shown[:, 1, i] + carry
        result.append(total % 10)
        carry = total // 10
    return torch.stack([*result, carry], dim=1)
