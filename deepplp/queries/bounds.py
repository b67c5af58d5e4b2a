"""Bounds of probabilities where networks keep only their most probable values.

A world is kept where every choice has a value that its network keeps. Let K be the mass of all kept worlds, C = 1 - K
that of the others, and M(x) the mass of the kept worlds in which x holds. Nothing is known of the others: in each of
them the evidence e and the query q may both hold, e alone, or neither. So P(q, e) = M(q, e) + x and P(not q, e) =
M(not q, e) + y for some x, y >= 0 with x + y <= C, and

    M(q, e) / (M(e) + C)  <=  P(q | e)  <=  (M(q, e) + C) / (M(e) + C):

the rest of the mass is either all on the side of not q, or all on the side of q. A circuit skips the choices that do
not matter. Evaluated with the cut weights it counts them in full, in worlds that are not kept, too. Its value R(q, e)
lies between M(q, e) and P(q, e), so that it replaces M(q, e) in the numerator of the lower bound. Evaluated with the
kept weights of each choice scaled to a sum of one, it gives M(e) / K and M(q, e) / K.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from deepplp.answers import Readings
from deepplp.circuit import FALSE_NODE, Circuit

__all__ = ["BoundedReadings", "Walked", "WalkedReadings"]


class WalkedReadings(Readings, Protocol):
    """Readings of a walk, which knows the rows whose evidence cannot be."""

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero."""
        ...


class Walked:
    """Readings that are made when they are first asked for, in the mode of autograd in which the query was asked."""

    def __init__(self, make: Callable[[], Mapping[int, Readings]]) -> None:
        self._make = make
        self._mode = torch.is_inference_mode_enabled(), torch.is_grad_enabled()
        self._made: Mapping[int, Readings] | None = None

    def __getitem__(self, number: int) -> Readings:
        if self._made is None:
            inference, gradients = self._mode
            with torch.inference_mode(inference), torch.set_grad_enabled(gradients):
                self._made = self._make()
        return self._made[number]


class BoundedReadings:
    """Readings whose probabilities are lower bounds, and the upper bounds.

    ``cut`` are the readings of the walk with the cut weights, and ``normalised`` (by ``number``) those of the walk with
    the kept weights scaled to one, all in float64; ``log_kept`` [rows] is log K. Results have the ``dtype``.
    """

    def __init__(
        self,
        circuit: Circuit,
        cut: WalkedReadings,
        normalised: Walked,
        number: int,
        log_kept: Tensor,
        dtype: torch.dtype,
    ) -> None:
        self._cut = cut
        self._normalised = normalised
        self._number = number
        self._dtype = dtype
        self._log_kept = log_kept.to(cut.device).expand(cut.rows).unsqueeze(1)
        self._conditioned = circuit.evidence > 1
        impossible, certain = circuit.roots == FALSE_NODE, circuit.roots == circuit.evidence
        self._impossible = torch.from_numpy(impossible).to(cut.device)
        self._certain = torch.from_numpy(certain).to(cut.device)

    @property
    def rows(self) -> int:
        """The number of rows of the batch."""
        return self._cut.rows

    @property
    def device(self) -> torch.device:
        """Where the results are."""
        return self._cut.device

    def log_probs(self) -> Tensor:
        """The logarithms [batch, n] of the lower bounds."""
        if not self._conditioned:
            return self._cut.log_probs().to(self._dtype)
        given, possible = self._log_given()
        found = self._cut.log_probs() + self._cut.log_evidence()  # log R(q, e)
        found = torch.where(torch.isnan(found), -torch.inf, found) - given
        found = torch.where(self._certain, 0.0, found.clamp(max=0.0))
        return torch.where(possible, found, torch.nan).to(self._dtype)

    def probs(self) -> Tensor:
        """The lower bounds [batch, n]."""
        if not self._conditioned:
            return self._cut.probs().to(self._dtype)
        given, possible = self._log_given()
        found = _known(self._cut.probs()) * torch.exp(self._cut.log_evidence() - given)
        found = torch.where(self._certain, 1.0, found.clamp(max=1.0))
        return torch.where(possible, found, torch.nan).to(self._dtype)

    def upper_probs(self) -> Tensor:
        """The upper bounds [batch, n]."""
        normalised = self._normalised[self._number]
        given, possible = self._log_given()
        share = torch.exp(self._log_kept + normalised.log_evidence() - given)  # M(e) / (M(e) + C)
        found = 1.0 - share * (1.0 - _known(normalised.probs()))
        found = torch.where(self._impossible, 0.0, torch.where(self._certain, 1.0, found.clamp(0.0, 1.0)))
        found = torch.where(possible, found, torch.nan).to(self._dtype)
        return torch.maximum(found, self.probs())  # rounding may leave it a hair below

    def log_evidence(self) -> Tensor:
        """The logarithm [batch, 1] of a lower bound of the evidence's probability."""
        return self._cut.log_evidence().to(self._dtype)

    def selected(self, queries: Tensor) -> Tensor:
        """The logarithm [batch] of the lower bound of one answer a row; IndexError for one out of range."""
        if not self._conditioned:
            return self._cut.selected(queries).to(self._dtype)
        found = self.log_probs()
        if len(queries):
            lowest, highest = torch.stack(torch.aminmax(queries)).tolist()
            if lowest < 0 or highest >= found.shape[1]:
                raise IndexError(lowest if lowest < 0 else highest)
        return found.gather(1, queries.unsqueeze(1)).squeeze(1)

    def impossible_rows(self) -> list[int]:
        """The rows whose evidence has probability zero, whatever the values that were cut would say."""
        with torch.no_grad():
            exact = (self._log_kept >= 0.0).squeeze(1).tolist()
        return [row for row in self._cut.impossible_rows() if exact[row]]

    def _log_given(self) -> tuple[Tensor, Tensor]:
        """Log(M(e) + C), and whether it is a number: each [batch, 1]. Where it is none it is 0, without gradient."""
        log_kept = self._log_kept
        of_evidence = log_kept + self._normalised[self._number].log_evidence() if self._conditioned else log_kept
        cut = -torch.expm1(log_kept)
        some = cut > 0.0
        log_cut = torch.where(some, torch.where(some, cut, 1.0).log(), -torch.inf)
        possible = some | ~torch.isneginf(of_evidence)
        given = torch.logaddexp(torch.where(possible, of_evidence, 0.0), torch.where(possible, log_cut, 0.0))
        return torch.where(possible, given, 0.0), possible


def _known(probs: Tensor) -> Tensor:
    """Probabilities given evidence, 0 where that has probability 0."""
    return torch.where(torch.isnan(probs), 0.0, probs)
