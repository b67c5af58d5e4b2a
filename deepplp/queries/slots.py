"""Where the weights of a choice come from: slots of networks, observations, tensors and parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

import torch
from torch import Tensor

from deepplp.errors import InvalidProbabilityError, NetworkOutputError, Position
from deepplp.formula import Choice, Computed, Learnable, Neural
from deepplp.neural import Column, Distributions, NetworkCall, Slot, Start, aligned, within
from deepplp.program import LearnableClause

__all__ = ["ComputedSlot", "LearnableBlock", "LearnableSlot", "learnable_blocks", "network_calls", "network_slots"]

_TOLERANCE = 1e-6  # how far rounding may take a computed probability out of its range


@dataclass(frozen=True, slots=True)
class LearnableSlot:
    """A choice's learnable probabilities: a distribution over those not ``fixed`` (None), scaled to what is left."""

    clause: int
    arguments: tuple[str, ...]
    fixed: tuple[float | None, ...]
    start: tuple[float, ...]
    text: str = field(compare=False)
    position: Position = field(compare=False)

    @classmethod
    def of(cls, origin: Learnable) -> LearnableSlot:
        """The slot of a choice."""
        fixed = origin.fixed + (None,) * (len(origin.initial) - len(origin.fixed))
        free = [p for p, f in zip(origin.initial, fixed, strict=True) if f is None]
        total = math.fsum(free)
        start = tuple(p / total if total > 0 else 1 / len(free) for p in free)
        clause = origin.clause
        return cls(clause.index, tuple(map(str, origin.arguments)), fixed, start, clause.text, clause.position)

    @classmethod
    def of_clause(cls, clause: LearnableClause) -> LearnableSlot | None:
        """The slot of a clause's every grounding; None where groundings have their own, made when they are known."""
        return None if clause.has_arguments else cls.of_grounding(clause, "")

    @classmethod
    def of_grounding(cls, clause: LearnableClause, key: str) -> LearnableSlot | None:
        """The slot of a clause's grounding, by its key; None where other probabilities are known only when ground."""
        if None in (f for f, t in zip(clause.fixed, clause.learnable, strict=True) if not t):
            return None
        slot = cls.of(Learnable(clause, (), clause.fixed, clause.distribution(clause.fixed)))
        return replace(slot, arguments=(key,)) if key else slot

    @property
    def key(self) -> str:
        """The arguments as one text, "" for none."""
        return ",".join(self.arguments)

    def weights(self, distributions: Distributions) -> Tensor:
        """The probabilities [values] of all values."""
        return LearnableBlock.of([self], distributions).weights(distributions)

    @property
    def distribution(self) -> Start:
        """The distribution that it needs."""
        return Start(self.clause, self.key, self.start)


@dataclass(frozen=True, slots=True, eq=False)
class LearnableBlock:
    """The slots of one clause whose probabilities are learnt: n of them, side by side.

    ``rows`` [n] are their groundings, None for a clause without arguments. Where some values are fixed, ``given`` [n,
    values] holds them, ``scale`` [n, 1] what they leave, and ``free`` the positions of the learnt ones.
    """

    clause: int
    slots: tuple[LearnableSlot, ...]
    rows: Tensor | None
    given: Tensor | None
    scale: Tensor | None
    free: Tensor | None

    @classmethod
    def of(cls, slots: Sequence[LearnableSlot], distributions: Distributions) -> LearnableBlock:
        """The block of slots of one clause."""
        clause = slots[0].clause
        rows = None
        if slots[0].arguments:
            rows = torch.tensor([distributions.row(clause, s.key) for s in slots], device="cpu")
        if all(f is None for f in slots[0].fixed):
            return cls(clause, tuple(slots), rows, None, None, None)
        given = torch.tensor([[f or 0.0 for f in s.fixed] for s in slots], dtype=torch.float64, device="cpu")
        left = [[max(0.0, 1.0 - math.fsum(f for f in s.fixed if f is not None))] for s in slots]
        free = torch.tensor([i for i, f in enumerate(slots[0].fixed) if f is None], device="cpu")
        return cls(clause, tuple(slots), rows, given, torch.tensor(left, dtype=torch.float64, device="cpu"), free)

    def weights(self, distributions: Distributions) -> Tensor:
        """The probabilities [n * values] of the slots, one after another."""
        learnt: Tensor = distributions(self.clause, self.rows)
        if not math.isfinite(learnt.detach().sum()):
            self._raise(learnt, distributions)
        if self.given is None or self.scale is None or self.free is None:
            return learnt.reshape(-1)
        device = learnt.device
        parts = self.scale.to(device) * learnt
        return self.given.to(device).index_add(1, self.free.to(device), parts.reshape(len(self.given), -1)).reshape(-1)

    def _raise(self, learnt: Tensor, distributions: Distributions) -> NoReturn:
        rows = learnt.detach().reshape(-1, learnt.shape[-1])
        slot = self.slots[int((~torch.isfinite(rows).all(dim=1)).nonzero()[0])]
        where = f" for {slot.key}" if slot.key else ""
        raise InvalidProbabilityError(
            f"what was learnt for {slot.text} is no probability: the parameter distributions.logits."
            f"{distributions.name(self.clause)}{where} holds NaN or infinity. A learning rate that is too high, a loss "
            "without a finite gradient, or a state that was saved with such numbers leads there",
            slot.position,
        )


def learnable_blocks(
    slots: Iterable[LearnableSlot], distributions: Distributions
) -> tuple[tuple[LearnableSlot, ...], tuple[LearnableBlock, ...]]:
    """The slots in an order in which those of one block stand together, and the blocks."""
    groups: dict[object, list[LearnableSlot]] = {}
    for slot in slots:
        groups.setdefault((slot.clause, *(f is None for f in slot.fixed)), []).append(slot)
    ordered = tuple(slot for group in groups.values() for slot in group)
    return ordered, tuple(LearnableBlock.of(group, distributions) for group in groups.values())


@dataclass(frozen=True, slots=True)
class ComputedSlot:
    """A choice whose probabilities are tensors, by name, or numbers; the last value has what they leave of 1.

    Where there is one for each value, they sum to one. ``heads`` are all values but the last.
    """

    probabilities: tuple[str | float, ...]
    heads: tuple[str, ...]
    position: Position | None = field(compare=False)

    @classmethod
    def of(cls, choice: Choice, origin: Computed) -> ComputedSlot:
        """The slot of a choice."""
        given = tuple(p if isinstance(p, float) else str(p) for p in origin.probabilities)
        return cls(given, tuple(map(str, choice.values[:-1])), choice.position)

    @property
    def width(self) -> int:
        """The number of values."""
        return len(self.heads) + 1

    def weights(self, columns: Mapping[str, Column]) -> Tensor:
        """The probabilities [rows, values]."""
        found = [self._probability(p, columns) for p in self.probabilities]
        device = next((c.device for c in found if c.device.type != "cpu"), found[0].device)
        stacked = [c.to(device) for c in aligned(found) if isinstance(c, Tensor)]
        given = torch.stack(stacked, dim=1)
        if not bool(torch.isfinite(given).all()):
            self._raise(given, "between 0 and 1")
        if len(self.probabilities) == self.width:
            return given
        weights = torch.cat((given, 1 - given.sum(dim=1, keepdim=True)), dim=1)
        least = weights.detach().amin(dim=0).tolist() if len(weights) else [0.0]
        if min(least[:-1], default=0.0) < -_TOLERANCE:
            self._raise(given, "between 0 and 1")
        if least[-1] < -_TOLERANCE:
            self._raise(given, "between 0 and 1" if len(self.heads) == 1 else "together at most 1")
        return within(weights) if min(least) < 0.0 else weights

    def _probability(self, probability: str | float, columns: Mapping[str, Column]) -> Tensor:
        if isinstance(probability, float):
            return torch.tensor([probability], dtype=torch.float64)
        column = columns[probability]
        if not isinstance(column, Tensor) or column[:1].numel() != min(1, len(column)):
            shape = list(column.shape) if isinstance(column, Tensor) else "a list"
            raise NetworkOutputError(
                f"the probability {probability} of {self.heads[0]} is a tensor of shape {shape}; it must be [batch] or "
                "[batch, 1], one number a row",
                self.position,
            )
        return column.reshape(-1).double()

    def _raise(self, given: Tensor, wanted: str) -> None:
        p = given.detach()
        bad = ~torch.isfinite(p).all(dim=1) | (p < -_TOLERANCE).any(dim=1) | (p.sum(dim=1) > 1 + _TOLERANCE)
        row = int(bad.nonzero()[0])
        shown = ", ".join(f"{x:.6g}" for x in p[row].tolist())
        raise NetworkOutputError(
            f"the probability {shown} of {', '.join(self.heads)} in row {row}, which a tensor gives, must be {wanted}",
            self.position,
        )


def network_slots(choices: Mapping[int, Choice]) -> dict[int, tuple[str, Slot]]:
    """For each choice that a network decides, by number: the network, and the slot that gives it its probabilities."""
    texts: dict[int, str] = {}
    found: dict[int, tuple[str, Slot]] = {}
    for index, choice in choices.items():
        if not isinstance(origin := choice.origin, Neural):
            continue
        declaration = origin.declaration
        if declaration.kind == "tensor":
            raise AssertionError("a tensor is no choice")
        text = texts.get(declaration.index)
        if text is None:
            text = texts[declaration.index] = str(declaration)
        inputs, values = tuple(map(str, origin.inputs)), origin.labels or len(choice.values)
        found[index] = declaration.network, Slot(inputs, values, declaration.kind, text, declaration.position)
    return found


def network_calls(slots: Iterable[tuple[str, Slot]]) -> tuple[NetworkCall, ...]:
    """One call a network, with a slot for every distinct input (and number of values)."""
    calls: dict[str, dict[tuple[object, ...], Slot]] = {}
    for network, slot in slots:
        calls.setdefault(network, {}).setdefault(slot.key, slot)
    return tuple(NetworkCall(name, tuple(distinct.values())) for name, distinct in calls.items())
