"""`CompiledQuery`: a query's compiled form, and where its weights come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from deepplp.answers import AnswerTerms
from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit, IntArray, Plan, as_one_matrix, bind
from deepplp.formula import Choice, Computed, Fixed, Learnable, Neural, Observed
from deepplp.neural import Distributions, NetworkCall
from deepplp.program import FileState, Term, are_current
from deepplp.queries.header import Header
from deepplp.queries.needs import TensorNeeds
from deepplp.queries.slots import (
    ComputedSlot,
    LearnableBlock,
    LearnableSlot,
    learnable_blocks,
    network_calls,
    network_slots,
)

__all__ = ["CompiledQuery", "Demand", "Needs", "choices_read", "learnable_slots"]

Needs = Callable[[Iterable[Choice]], TensorNeeds]


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What must be computed for each row of a batch: slots of networks, observed evidence and computed probabilities.

    Slots are numbered in this order. ``sizes`` are their numbers of weights. ``only_inputs`` says that the call's
    inputs are all that networks and tensor functions take.
    """

    needs: TensorNeeds
    calls: tuple[NetworkCall, ...]
    observed: tuple[str, ...]
    computed: tuple[ComputedSlot, ...]
    sizes: tuple[int, ...] = field(init=False)
    only_inputs: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "only_inputs", self.needs.only_inputs)
        sizes = [slot.width for call in self.calls for slot in call.slots]
        sizes += [2] * len(self.observed)
        sizes += [slot.width for slot in self.computed]
        object.__setattr__(self, "sizes", tuple(sizes))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a choice's weights start: in a slot by its number, or (None) among the weights that all rows share."""

    slot: int | None
    start: int


@dataclass(eq=False, slots=True)
class CompiledQuery:
    """A query's compiled form: its answers, what it asks of networks, parameters and evidence, and its circuit.

    The weights of the ``demand``'s slots differ from row to row. Behind them come those that all rows share: the
    ``learnable`` probabilities, as the ``blocks`` give them, and the ``fixed`` ones. ``plans`` are circuits bound to
    weights so far. ``files`` are those besides the program's texts that were read for it. The batch sizes of the inputs
    ``sizing`` count, too, though no network reads them: what is certain or impossible for some probabilities has as
    many rows as what is not.
    """

    header: Header
    circuit: Circuit
    demand: Demand
    learnable: tuple[LearnableSlot, ...]
    blocks: tuple[LearnableBlock, ...]
    fixed: Tensor
    places: Mapping[int, _Place]
    answers: AnswerTerms
    sizing: tuple[str, ...] = ()
    plans: dict[object, Plan] = field(default_factory=dict)
    files: tuple[FileState, ...] = ()

    @classmethod
    def of(
        cls,
        header: Header,
        circuit: Circuit,
        needs: Needs,
        distributions: Distributions,
        asked: Sequence[Term] | None = None,
        named: Iterable[str] = (),
    ) -> CompiledQuery:
        """Give every choice that the circuit reads its place among the weights.

        ``needs`` resolves their tensors. ``asked`` are the queries with their variables, where they are not the
        program's own. ``named`` are the inputs that the query or a choice names, read or not.
        """
        choices = choices_read(header, circuit)
        neural = network_slots(choices)
        calls = network_calls(neural.values())
        slots: list[object] = [(call.network, slot.key) for call in calls for slot in call.slots]
        observed = [str(c.origin.term) for c in choices.values() if isinstance(c.origin, Observed)]
        found = (ComputedSlot.of(c, c.origin) for c in choices.values() if isinstance(c.origin, Computed))
        computed = tuple(dict.fromkeys(found))
        number_of = {key: number for number, key in enumerate([*slots, *observed, *computed])}
        learnable, blocks = learnable_blocks(learnable_slots(choices.values()), distributions)
        learnt: dict[LearnableSlot, int] = {}
        shared = 0
        for learnable_slot in learnable:
            learnt[learnable_slot] = shared
            shared += len(learnable_slot.fixed)
        fixed: list[float] = []
        places: dict[int, _Place] = {}
        for index, choice in choices.items():
            match choice.origin:
                case Learnable() as origin:
                    places[index] = _Place(None, learnt[LearnableSlot.of(origin)])
                case Fixed(probabilities):
                    places[index] = _Place(None, shared + len(fixed))
                    fixed.extend(probabilities)
                case Neural() as origin:
                    network, slot = neural[index]
                    places[index] = _Place(number_of[network, slot.key], 2 * (origin.label or 0))
                case Observed(term):
                    places[index] = _Place(number_of[str(term)], 0)
                case Computed() as origin:
                    places[index] = _Place(number_of[ComputedSlot.of(choice, origin)], 0)
        demand = Demand(needs(choices.values()), calls, tuple(observed), computed)
        weights = torch.tensor(fixed, dtype=torch.float64, device="cpu")
        impossible = np.zeros(len(header.queries), dtype=np.bool_)
        impossible[list(header.impossible)] = True
        answers = AnswerTerms(header.queries, header.unanswered, impossible, tuple(asked or ()))
        sizing = tuple(name for name in named if name not in demand.needs.inputs)
        return cls(header, circuit, demand, learnable, blocks, weights, places, answers, sizing)

    @property
    def is_current(self) -> bool:
        """Whether nothing has changed of what was read for it."""
        return not self.files or are_current(self.files)

    @property
    def is_contradictory(self) -> bool:
        """Whether the evidence holds in no world, whatever the weights."""
        return self.circuit.evidence == FALSE_NODE

    @property
    def is_conditioned(self) -> bool:
        """Whether there is evidence that may be false."""
        return self.circuit.evidence != TRUE_NODE

    @property
    def choices_by_slot(self) -> Mapping[int, int]:
        """The number of choices that read each slot."""
        return Counter(place.slot for place in self.places.values() if place.slot is not None)

    @property
    def common(self) -> int:
        """The number of weights that all rows share."""
        return sum(len(slot.fixed) for slot in self.learnable) + len(self.fixed)

    def plan(self, shared_slots: frozenset[int]) -> Plan:
        """The circuit bound to weights of which these slots are shared by all rows, as their inputs have batch 1."""
        found = self.plans.get(shared_slots)
        return found or self.plans.setdefault(shared_slots, self._bound(shared_slots))

    def shared_plan(self) -> Plan:
        """The circuit bound to weights all of which are shared, in the order of the slots."""
        return self.plan(frozenset(range(len(self.demand.sizes))))

    def batched_plan(self) -> Plan:
        """The circuit bound to a matrix [rows, weights], in the order of the slots."""
        found = self.plans.get("batched")
        if found is None:
            shared, width = self.shared_plan(), sum(self.demand.sizes) + self.common
            found = self.plans.setdefault("batched", as_one_matrix(shared, width))
        return found

    def _bound(self, shared_slots: frozenset[int]) -> Plan:
        starts: list[int] = []
        wide = common = 0
        for number, size in enumerate(self.demand.sizes):
            starts.append(-common - 1 if number in shared_slots else wide)
            common += size if number in shared_slots else 0
            wide += 0 if number in shared_slots else size
        column_map: IntArray = np.zeros(self.circuit.columns, dtype=np.int64)
        for index, place in self.places.items():
            first, last = self.circuit.column_offsets[index], self.circuit.column_offsets[index + 1]
            start = -(common + place.start) - 1
            if place.slot is not None:
                start = starts[place.slot] + (place.start if starts[place.slot] >= 0 else -place.start)
            column_map[first:last] = start + (1 if start >= 0 else -1) * np.arange(last - first)
        sizes = [size for number, size in enumerate(self.demand.sizes) if number not in shared_slots]
        return bind(self.circuit, column_map, sizes)

    def common_weights(self, distributions: Distributions, device: torch.device) -> Tensor:
        """The weights [s] that all rows share: learnable and fixed probabilities."""
        if not self.blocks:
            return self.fixed if self.fixed.device == device else self.fixed.to(device)
        learnt = [block.weights(distributions).to(device) for block in self.blocks]
        return torch.cat([*learnt, self.fixed.to(device)])


def choices_read(header: Header, circuit: Circuit) -> dict[int, Choice]:
    """The choices that the circuit reads, by number."""
    owners = np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right") - 1
    read = set(owners.tolist())
    return {i: choice for i, choice in enumerate(header.choices) if i in read}


def learnable_slots(choices: Iterable[Choice]) -> Sequence[LearnableSlot]:
    """The slots of the choices whose probabilities are learnt, each once."""
    return list(dict.fromkeys(LearnableSlot.of(c.origin) for c in choices if isinstance(c.origin, Learnable)))
