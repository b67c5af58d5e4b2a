"""The networks of the experiments."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["lenet", "observed_digit"]


def lenet() -> nn.Sequential:
    """Images [n, 1, 28, 28] to digit probabilities [n, 10]: LeNet-5 with max-pooling, as in DeepProbLog's experiment.

    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE, 1998.
    """
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),  # [n, 6, 24, 24]
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(6, 16, 5),  # [n, 16, 8, 8]
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),  # [n, 256]
        nn.Linear(256, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
        nn.Softmax(dim=1),
    )


def observed_digit(digits: Tensor) -> Tensor:
    """Digits [n] that are known to one-hot rows [n, 10]: a network that is always certain."""
    return functional.one_hot(digits, 10).float()
