"""From requests to weights: every network is called once, on the distinct inputs of all requests together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import IntArray
from deepplp.errors import QueryError
from deepplp.neural import Column, NetworkCall, Slot, checked_inputs
from deepplp.program import parse_goal
from deepplp.queries.blocks import Block, blocks_of, cut_mass, log_kept_mass, renormalised
from deepplp.queries.compiled import CompiledQuery, Demand
from deepplp.queries.environment import Environment
from deepplp.queries.needs import TensorNeeds
from deepplp.queries.slots import ComputedSlot, LearnableSlot, learnable_blocks

__all__ = ["Request", "SharedWeights", "request_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A compiled query with its tensors: the inputs that it uses, its observations [rows], and its number of rows."""

    compiled: CompiledQuery
    inputs: Mapping[str, Column]
    observed: Mapping[str, Tensor]
    rows: int


def request_of(
    compiled: CompiledQuery, given: Mapping[str, object], observed: Mapping[str, Tensor], *, extra: bool = True
) -> Request:
    """A request of a compiled query; with ``extra``, what the query does not use is not looked at.

    Without it, all inputs tell the batch size; with it, those that the query or a choice of its ground program names.
    """
    demand = compiled.demand
    if not (observed or demand.observed):
        used, rows = checked_inputs(given, demand.needs.inputs, only_used=extra, sizing=compiled.sizing)
        return Request(compiled, used, observed, rows)
    if not observed.keys() >= set(demand.observed):  # written with other spaces
        observed = {str(parse_goal(term, "<evidence>")): value for term, value in observed.items()}
        for term in demand.observed:
            if term not in observed:
                raise QueryError(f"the query was compiled for evidence that tensors give; none is given for {term}")
    sized = {f"evidence {term}": value for term, value in observed.items()}
    sizing = compiled.sizing
    used, rows = checked_inputs(given, demand.needs.inputs, only_used=extra, sizing=sizing, sized=sized)
    return Request(compiled, used, observed, rows)


class _Merged(NamedTuple):
    """The demand of several requests as one, its tensors, and for each request the numbers of its slots in it."""

    demand: Demand
    inputs: Mapping[str, Column]
    observed: Mapping[str, Tensor]
    slots: list[list[int]]


class SharedWeights:
    """All weights of several requests as one vector, and where each request's stand in it.

    A tensor that several requests share is one column, whatever each calls it.
    """

    def __init__(self, requests: Sequence[Request], environment: Environment) -> None:
        self._requests = requests
        self._environment = environment
        merged = _Merging(requests).merged()
        self._slots = merged.slots
        self._blocks = blocks_of(merged.demand, merged.inputs, merged.observed, environment)
        self._places = list(_places(self._blocks))
        self._learnt: dict[LearnableSlot, int] = {}
        self._fixed: dict[int, int] = {}
        self._common = self._common_weights(sum(b.weights.numel() for b in self._blocks))

    def vector(self, *, scaled: bool = False) -> Tensor:
        """The weights [weights] in float64, on the model's device; those that are kept scaled to one if wanted."""
        device = self._environment.device
        blocks = renormalised(self._blocks) if scaled else self._blocks
        pieces = [b.weights for b in blocks] + self._common
        return torch.cat([p.reshape(-1).to(device, torch.float64) for p in pieces])

    def cut(self, number: int) -> dict[str, Tensor]:
        """What was cut from a request's slots, by network."""
        return cut_mass(self._blocks, self._slots[number])

    def log_kept(self, number: int) -> Tensor:
        """The log-mass [rows] of a request's worlds in which every choice has a value that is kept."""
        choices: Counter[int] = Counter()
        for slot, count in self._requests[number].compiled.choices_by_slot.items():
            choices[self._slots[number][slot]] += count
        return log_kept_mass(self._blocks, choices)

    def _common_weights(self, start: int) -> list[Tensor]:
        """Learnable and fixed probabilities, each once."""
        slots = dict.fromkeys(s for r in self._requests for s in r.compiled.learnable)
        ordered, blocks = learnable_blocks(slots, self._environment.distributions)
        for slot in ordered:
            self._learnt[slot] = start
            start += len(slot.fixed)
        pieces = [block.weights(self._environment.distributions) for block in blocks]
        for request in self._requests:
            fixed = request.compiled.fixed
            if id(fixed) not in self._fixed:
                self._fixed[id(fixed)] = start
                start += len(fixed)
                pieces.append(fixed)
        return pieces

    def places(self, number: int) -> IntArray:
        """Where the n weights of each row of a request stand: [rows, n], in the order of its slots."""
        request = self._requests[number]
        compiled, rows = request.compiled, request.rows
        found = [_rows(*self._places[slot], rows) for slot in self._slots[number]]
        found += [_rows(self._learnt[slot], 1, len(slot.fixed), rows) for slot in compiled.learnable]
        found.append(_rows(self._fixed[id(compiled.fixed)], 1, len(compiled.fixed), rows))
        return np.concatenate(found, axis=1)


def _places(blocks: Sequence[Block]) -> Iterator[tuple[int, int, int]]:
    """Of every slot: where it starts among the weights of all blocks, its number of rows, and its width."""
    start = 0
    for block in blocks:
        rows, width = len(block.weights) // block.slots, block.weights.shape[1]
        for slot in range(block.slots):
            yield start + slot * rows * width, rows, width
        start += block.weights.numel()


def _rows(start: int, given: int, width: int, rows: int) -> IntArray:
    """The places [rows, width] of a matrix [given, width] that starts somewhere; all rows share one given row."""
    row = np.arange(rows, dtype=np.int64)[:, None] if given == rows else np.zeros((rows, 1), dtype=np.int64)
    return start + row * width + np.arange(width, dtype=np.int64)


class _Merging:
    """Makes one demand of those of several requests."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._needs = TensorNeeds()
        self._inputs: dict[str, Column] = {}
        self._key_of: dict[int, str] = {}  # of a column's identity
        self._requests = requests
        self._names = [self._name_columns(number, request) for number, request in enumerate(requests)]

    def merged(self) -> _Merged:
        """The demand with its tensors."""
        calls: dict[str, dict[object, Slot]] = {}
        observed: dict[str, Tensor] = {}
        computed: dict[ComputedSlot, None] = {}
        keys: list[list[object]] = []
        for number, request in enumerate(self._requests):
            mine: list[object] = []
            demand = request.compiled.demand
            for call in demand.calls:
                for slot in call.slots:
                    renamed = replace(slot, inputs=tuple(self._names[number][name] for name in slot.inputs))
                    calls.setdefault(call.network, {}).setdefault(renamed.key, renamed)
                    mine.append((call.network, renamed.key))
            for term in demand.observed:
                observed[f"{term} of query {number}"] = request.observed[term]
                mine.append(f"{term} of query {number}")
            for given in demand.computed:
                names = tuple(p if isinstance(p, float) else self._names[number][p] for p in given.probabilities)
                mine.append(replace(given, probabilities=names))
                computed[mine[-1]] = None  # type: ignore[index]
            keys.append(mine)
        order = [(network, key) for network, slots in calls.items() for key in slots]
        number_of = {key: i for i, key in enumerate([*order, *observed, *computed])}
        network_calls = tuple(NetworkCall(network, tuple(slots.values())) for network, slots in calls.items())
        demand = Demand(self._needs, network_calls, tuple(observed), tuple(computed))
        return _Merged(demand, self._inputs, observed, [[number_of[key] for key in mine] for mine in keys])

    def _name_columns(self, number: int, request: Request) -> dict[str, str]:
        """The columns behind a request's names: one a tensor, however many requests use it."""
        needs = request.compiled.demand.needs
        mine: dict[str, str] = {}
        for name, tensor in request.inputs.items():
            mine[name] = self._key_of.setdefault(id(tensor), f"{name} of query {number}")
            self._inputs.setdefault(mine[name], tensor)
        self._needs.add(needs)
        mine.update((name, name) for name in needs.independent_of_inputs())
        for name, derived in needs.derived.items():
            inputs = tuple(mine[i] for i in derived.inputs)
            mine[name] = name if inputs == derived.inputs else f"{name} of query {number}"
            self._needs.derived.setdefault(mine[name], replace(derived, name=mine[name], inputs=inputs))
        return mine
