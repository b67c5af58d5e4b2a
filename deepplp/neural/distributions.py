"""Learnable probabilities as parameters: logits, so that they stay distributions whatever the optimiser does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Distributions"]


class Distributions(nn.Module):
    """Named categorical distributions, each the softmax of a float64 parameter.

    A distribution may be made after the model: one for each grounding of ``t(_, X)``. Loading a state makes those that
    the state holds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.ParameterDict()
        self.register_buffer("_anchor", torch.empty(0), persistent=False)  # follows .to(device)

    _anchor: Tensor

    def ensure(self, name: str, initial: Sequence[float]) -> None:
        """Make a distribution, unless there is one of that name already."""
        if name not in self.logits:
            start = torch.tensor(initial, dtype=torch.float64, device=self._anchor.device)
            # A value that starts at 0 must still be able to grow: 1e-9 is as good as 0 to anyone who looks.
            self.logits[name] = nn.Parameter(start.clamp_min(1e-9).log())

    def forward(self, name: str) -> Tensor:
        """The probabilities [values] of a distribution."""
        return torch.softmax(self.logits[name], dim=0)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        start = f"{prefix}logits."
        for key, value in state_dict.items():
            if key.startswith(start) and key.removeprefix(start) not in self.logits:
                self.logits[key.removeprefix(start)] = nn.Parameter(torch.zeros_like(value, device=self._anchor.device))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @staticmethod
    def name(clause: int, arguments: Sequence[str]) -> str:
        """The name of a clause's distribution, for given ground arguments: fit for a parameter's name."""
        if not arguments:
            return f"clause{clause}"
        text = ",".join(arguments)
        readable = "".join(c if c.isalnum() else "_" for c in text)[:40]
        return f"clause{clause}_{readable}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
