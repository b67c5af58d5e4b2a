"""Learnt numbers, such as thresholds, as parameters of a model."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

__all__ = ["LearntNumbers"]


class LearntNumbers(nn.Module):
    """The numbers ``param(Name, Start)`` of a program: scalar float64 parameters by their names.

    ``starts`` are the numbers that they start at. A name may be any, also that of an attribute of a module.

    >>> LearntNumbers({"theta": 38.5})["theta"]
    Parameter containing:
    tensor(38.5000, dtype=torch.float64, requires_grad=True)
    """

    def __init__(self, starts: Mapping[str, float]) -> None:
        super().__init__()
        self.starts = dict(starts)
        for name, start in self.starts.items():
            self._parameters[name] = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def __getitem__(self, name: str) -> nn.Parameter:
        found = self._parameters[name]
        assert found is not None
        return found
