"""`Structure`: a query's compiled form, and where its weights come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepplp.answers import AnswerTerms
from deepplp.circuit import FALSE_NODE, Circuit, Plan, bind
from deepplp.errors import NetworkOutputError, Position
from deepplp.formula import Choice, Computed, Fixed, Learnable, Neural, Observed
from deepplp.neural import Column, Distributions, NetworkCall, Slot, aligned
from deepplp.program import LearnableClause, Term
from deepplp.queries.header import Header
from deepplp.queries.needs import TensorNeeds

__all__ = ["ComputedSlot", "LearnableSlot", "Structure", "assemble"]

_TOLERANCE = 1e-6  # how far rounding may take a computed probability out of its range


@dataclass(frozen=True, slots=True)
class LearnableSlot:
    """A choice's learnable probabilities: a distribution over those not ``fixed`` (None), scaled to what is left."""

    name: str
    clause: int
    arguments: tuple[str, ...]
    fixed: tuple[float | None, ...]
    start: tuple[float, ...]

    @classmethod
    def of(cls, source: Learnable) -> LearnableSlot:
        """The slot of a choice."""
        fixed = source.fixed + (None,) * (len(source.initial) - len(source.fixed))
        free = [p for p, f in zip(source.initial, fixed, strict=True) if f is None]
        total = math.fsum(free)
        start = tuple(p / total if total > 0 else 1 / len(free) for p in free)
        arguments = tuple(map(str, source.arguments))
        name = Distributions.name(source.clause.index, arguments)
        return cls(name, source.clause.index, arguments, fixed, start)

    @classmethod
    def of_clause(cls, clause: LearnableClause) -> LearnableSlot | None:
        """The slot of a clause's every grounding; None where groundings have their own, made when they are known."""
        if clause.has_arguments or None in (f for f, t in zip(clause.fixed, clause.learnable, strict=True) if not t):
            return None
        return cls.of(Learnable(clause, (), clause.fixed, clause.distribution(clause.fixed)))

    def weights(self, distribution: Tensor) -> Tensor:
        """The probabilities [values] of all values, given the distribution [free values] of the free ones."""
        if all(f is None for f in self.fixed):
            return distribution
        scale = 1.0 - math.fsum(f for f in self.fixed if f is not None)
        given = torch.tensor([f or 0.0 for f in self.fixed], dtype=distribution.dtype, device=distribution.device)
        free = torch.tensor([i for i, f in enumerate(self.fixed) if f is None], device=distribution.device)
        return given.index_add(0, free, scale * distribution)


@dataclass(frozen=True, slots=True)
class ComputedSlot:
    """A choice whose probabilities are tensors, by name, or numbers; the last value has what they leave of 1."""

    probabilities: tuple[str | float, ...]
    heads: tuple[str, ...]
    position: Position | None = field(compare=False)

    @classmethod
    def of(cls, choice: Choice) -> ComputedSlot:
        """The slot of a choice."""
        assert isinstance(choice.origin, Computed)
        given = tuple(p if isinstance(p, float) else str(p) for p in choice.origin.probabilities)
        return cls(given, tuple(map(str, choice.values[:-1])), choice.position)

    def weights(self, columns: Mapping[str, Column]) -> Tensor:
        """The probabilities [rows, values]."""
        found = [self._probability(p, columns) for p in self.probabilities]
        device = next((c.device for c in found if c.device.type != "cpu"), found[0].device)
        stacked = [c.to(device) for c in aligned(found) if isinstance(c, Tensor)]
        given = torch.stack(stacked, dim=1)
        rest = 1 - given.sum(dim=1, keepdim=True)
        if not bool(torch.isfinite(given).all()) or float(given.detach().min()) < -_TOLERANCE:
            self._raise(given, "between 0 and 1")
        if float(rest.detach().min()) < -_TOLERANCE:
            self._raise(given, "between 0 and 1" if len(self.heads) == 1 else "together at most 1")
        return torch.cat((given, rest), dim=1)

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


@dataclass(eq=False)
class Structure:
    """A query's compiled form: its answers, what it asks of networks, parameters and evidence, and its circuit.

    Weights come in this order: the networks' slots, the observed evidence and the computed probabilities, which differ
    from row to row, and then the learnable and the fixed probabilities, which all rows share. ``plans`` maps the set of
    slots whose inputs have batch size 1 to the circuit bound for it: such slots are shared by all rows, too. ``sizes``
    are the slots' numbers of values.
    """

    answers: AnswerTerms
    calls: tuple[NetworkCall, ...]
    observed: tuple[str, ...]
    computed: tuple[ComputedSlot, ...]
    learnable: tuple[LearnableSlot, ...]
    fixed: Tensor
    bind: Callable[[frozenset[int]], Plan]
    sizes: tuple[int, ...]
    needs: TensorNeeds
    circuit: Circuit
    plans: dict[frozenset[int], Plan] = field(default_factory=dict)
    bound: dict[str, Plan] = field(default_factory=dict)

    @property
    def common(self) -> int:
        """The number of weights that all rows share."""
        return sum(len(slot.fixed) for slot in self.learnable) + len(self.fixed)

    def plan(self, shared_slots: frozenset[int]) -> Plan:
        """The circuit bound to weights of which these slots are shared by all rows."""
        if shared_slots not in self.plans:
            self.plans[shared_slots] = self.bind(shared_slots)
        return self.plans[shared_slots]

    def shared_plan(self) -> Plan:
        """The circuit bound to weights all of which are shared, in the order of the slots."""
        return self._bound("shared")

    def batched_plan(self) -> Plan:
        """The circuit bound to a matrix [rows, weights], in the order of the slots."""
        return self._bound("batched")

    def _bound(self, kind: str) -> Plan:
        if kind not in self.bound:
            shared = self.plan(frozenset(range(len(self.sizes))))
            if kind == "batched":
                strides = np.full_like(shared.strides, sum(self.sizes) + self.common)
                shared = replace(shared, widths=(sum(self.sizes) + self.common,), strides=strides)
            self.bound[kind] = shared
        return self.bound[kind]

    def common_weights(self, distributions: Distributions, device: torch.device) -> Tensor:
        """The weights [s] that are no network's: learnable and fixed probabilities."""
        if not self.learnable:
            return self.fixed if self.fixed.device == device else self.fixed.to(device)
        learnt = [slot.weights(distributions(slot.name)) for slot in self.learnable]
        return torch.cat([*(p.to(device) for p in learnt), self.fixed.to(device)])


def assemble(
    header: Header,
    circuit: Circuit,
    needs: Callable[[Iterable[Choice]], TensorNeeds],
    asked: Sequence[Term] = (),
) -> Structure:
    """Give every choice that the circuit reads its columns among the weights; ``needs`` resolves their tensors.

    ``asked`` are the queries with their variables, where they are not the program's own.
    """
    read = {int(i) for i in np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right") - 1}
    choices = {i: c for i, c in enumerate(header.choices) if i in read}
    calls = _network_calls(choices)
    keys: list[Any] = [(call.network, _key(slot)) for call in calls for slot in call.slots]
    sizes = [slot.values for call in calls for slot in call.slots]
    observed = [str(c.origin.term) for c in choices.values() if isinstance(c.origin, Observed)]
    keys += observed
    sizes += [2] * len(observed)
    computed = tuple(dict.fromkeys(ComputedSlot.of(c) for c in choices.values() if isinstance(c.origin, Computed)))
    keys += computed
    sizes += [len(slot.probabilities) + 1 for slot in computed]
    number_of = {key: number for number, key in enumerate(keys)}

    learnable: dict[LearnableSlot, int] = {}
    learnt = 0
    fixed: list[float] = []
    shared_at: dict[int, int] = {}  # where a choice's columns stand behind those of the shared slots
    for index, choice in choices.items():
        if isinstance(choice.origin, Learnable):
            slot = LearnableSlot.of(choice.origin)
            if slot not in learnable:
                learnable[slot] = learnt
                learnt += len(slot.fixed)
            shared_at[index] = learnable[slot]
    for index, choice in choices.items():
        if isinstance(choice.origin, Fixed):
            shared_at[index] = learnt + len(fixed)
            fixed.extend(choice.origin.probabilities)

    def bind_columns(shared_slots: frozenset[int]) -> Plan:
        starts: dict[int, int] = {}
        wide = common = 0
        for number, size in enumerate(sizes):
            if number in shared_slots:
                starts[number] = -common - 1
                common += size
            else:
                starts[number] = wide
                wide += size
        column_map = np.zeros(circuit.columns, dtype=np.int64)
        for index, choice in choices.items():
            first, last = circuit.column_offsets[index], circuit.column_offsets[index + 1]
            shared = shared_at.get(index)
            start = starts[number_of[_choice_key(choice)]] if shared is None else -(common + shared) - 1
            column_map[first:last] = start + (1 if start >= 0 else -1) * np.arange(last - first)
        return bind(circuit, column_map, [size for number, size in enumerate(sizes) if number not in shared_slots])

    return Structure(
        AnswerTerms(header.queries, header.unanswered, circuit.roots == FALSE_NODE, tuple(asked)),
        calls,
        tuple(observed),
        computed,
        tuple(learnable),
        torch.tensor(fixed, dtype=torch.float64),
        bind_columns,
        tuple(sizes),
        needs(choices.values()),
        circuit,
    )


def _network_calls(choices: Mapping[int, Choice]) -> tuple[NetworkCall, ...]:
    """One call a network, with a slot for every distinct input (and number of values)."""
    calls: dict[str, dict[tuple[Any, ...], Slot]] = {}
    for choice in choices.values():
        if isinstance(choice.origin, Neural):
            slot = _slot(choice)
            calls.setdefault(choice.origin.declaration.network, {}).setdefault(_key(slot), slot)
    return tuple(NetworkCall(name, tuple(slots.values())) for name, slots in calls.items())


def _choice_key(choice: Choice) -> Any:
    if isinstance(choice.origin, Neural):
        return choice.origin.declaration.network, _key(_slot(choice))
    if isinstance(choice.origin, Computed):
        return ComputedSlot.of(choice)
    assert isinstance(choice.origin, Observed)
    return str(choice.origin.term)


def _key(slot: Slot) -> tuple[Sequence[str], int, bool]:
    return slot.inputs, slot.values, slot.binary


def _slot(choice: Choice) -> Slot:
    assert isinstance(choice.origin, Neural)
    declaration = choice.origin.declaration
    return Slot(
        tuple(map(str, choice.origin.inputs)),
        len(choice.values),
        declaration.kind == "bernoulli",
        str(declaration),
        declaration.position,
    )
