"""What answers are read from: an evaluation, or the numbers that are left of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["KeptReadings", "Readings"]


class Readings(Protocol):
    """What answers are read from: an evaluation, or one query's part of it. All results have one dtype."""

    @property
    def rows(self) -> int:
        """The number of rows of the batch."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the results are."""
        ...

    def log_probs(self) -> Tensor:
        """The log-probabilities [batch, n] of all answers."""
        ...

    def probs(self) -> Tensor:
        """The probabilities [batch, n] of all answers."""
        ...

    def upper_probs(self) -> Tensor:
        """Upper bounds [batch, n] of the probabilities, which are lower bounds; the same where both are exact."""
        ...

    def log_evidence(self) -> Tensor:
        """The log-probability [batch, 1] of the evidence."""
        ...

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability [batch] of one answer a row, by its index [batch]; IndexError for one out of range."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class KeptReadings:
    """The numbers of an evaluation without the evaluation: no gradients, no circuit and no model.

    ``all_log_probs``, ``all_probs`` and ``all_upper_probs`` are [batch, n], ``evidence`` [batch, 1].
    """

    all_log_probs: Tensor
    all_probs: Tensor
    all_upper_probs: Tensor
    evidence: Tensor

    @classmethod
    def of(cls, readings: Readings) -> KeptReadings:
        """The numbers of some readings, as tensors that share no memory with them."""
        with torch.inference_mode(False), torch.no_grad():
            found = readings.log_probs(), readings.probs(), readings.upper_probs(), readings.log_evidence()
            return cls(*map(kept, found))

    @property
    def rows(self) -> int:
        """The number of rows of the batch."""
        return self.all_probs.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the numbers are."""
        return self.all_probs.device

    def log_probs(self) -> Tensor:
        """The log-probabilities [batch, n] of all answers."""
        return self.all_log_probs

    def probs(self) -> Tensor:
        """The probabilities [batch, n] of all answers."""
        return self.all_probs

    def upper_probs(self) -> Tensor:
        """The upper bounds [batch, n] of all answers."""
        return self.all_upper_probs

    def log_evidence(self) -> Tensor:
        """The log-probability [batch, 1] of the evidence."""
        return self.evidence

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability [batch] of one answer a row, by its index [batch]; IndexError for one out of range."""
        if len(queries):
            lowest, highest = torch.stack(torch.aminmax(queries)).tolist()
            if lowest < 0 or highest >= self.all_log_probs.shape[1]:
                raise IndexError(lowest if lowest < 0 else highest)
        return self.all_log_probs.gather(1, queries.unsqueeze(1)).squeeze(1)


def kept(tensor: Tensor) -> Tensor:
    """A copy [same shape] of a tensor's numbers alone: contiguous, without its graph or the rest of its storage."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)
