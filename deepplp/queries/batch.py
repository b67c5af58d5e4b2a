"""Many queries whose structures differ: one call a network for all of them, and their circuits in one walk.

Queries of one structure are the rows of one batch. What is left, where hardly two queries are alike, is laid end to
end: all circuits are one plan of one row, and the kernel walks it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepplp.answers import Answers, ManyAnswers
from deepplp.circuit import lay_end_to_end
from deepplp.errors import InconsistentEvidenceError
from deepplp.evaluation import Evaluation, are_distributions
from deepplp.neural import Distributions, Network, NetworkCall, Slot, SlotOutput, network_outputs
from deepplp.queries.compiled import Structure
from deepplp.queries.needs import TensorNeeds, gather_columns

__all__ = ["Environment", "Part", "Query", "answer_many"]

_ROWS_OF_THEIR_OWN = 8  # from so many examples of one structure on, side by side beats end to end
_LARGE = 2_000  # elements of a circuit, from which on it is walked on its own: laying out copies of it costs more

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Query:
    """One query of many: what `Model.query` takes."""

    query: str | Sequence[str] | None = None
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    evidence: Mapping[str, bool | Tensor] = field(default_factory=dict)
    facts: str = ""


@dataclass(frozen=True)
class Part:
    """A query with its structure: the tensors that it uses, its observations [rows], and its number of rows."""

    structure: Structure
    inputs: Mapping[str, Tensor]
    observed: Mapping[str, Tensor]
    rows: int


@dataclass(frozen=True)
class Environment:
    """What a model gives to its queries."""

    networks: Mapping[str, Network]
    sources: Mapping[str, Any]
    embeddings: Mapping[str, nn.Module]
    distributions: Distributions
    device: torch.device


def answer_many(parts: Sequence[Part], environment: Environment) -> ManyAnswers:
    """The answers of all queries."""
    if not parts:
        return ManyAnswers(())
    made = _Weights(parts, environment)
    weights, places = made.gathered()
    readings: dict[int, Any] = {}
    rest: list[int] = []
    for members in _alike(parts):
        rows = sum(parts[i].rows for i in members)
        large = len(parts[members[0]].structure.circuit.primes) >= _LARGE
        if rows >= _ROWS_OF_THEIR_OWN or large or len(members) == len(parts):
            readings.update(_side_by_side(parts, members, weights, places, made.dtype))
        else:
            rest += members
    if rest:
        readings.update(_end_to_end(parts, rest, weights, places, made.dtype))
    impossible = sorted(i for i, reading in readings.items() if reading.impossible())
    if impossible:
        listed = ", ".join(map(str, impossible[:10])) + (", …" if impossible[10:] else "")
        raise InconsistentEvidenceError(
            f"the evidence of quer{'ies' if impossible[1:] else 'y'} {listed} has probability 0, so nothing follows "
            "from it; check it against the program and the networks' outputs",
            rows=tuple(impossible),
        )
    return ManyAnswers([Answers(part.structure.answers, readings[i], made.cut[i]) for i, part in enumerate(parts)])


def _alike(parts: Sequence[Part]) -> list[list[int]]:
    """The numbers of the queries, those of one structure together."""
    groups: dict[int, list[int]] = {}
    for i, part in enumerate(parts):
        groups.setdefault(id(part.structure.circuit), []).append(i)
    return list(groups.values())


class _Weights:
    """All weights of all queries as one vector, and where each query's stand in it."""

    def __init__(self, parts: Sequence[Part], environment: Environment) -> None:
        self._parts = parts
        self._environment = environment
        self._pieces: list[Tensor] = []
        self._size = 0
        self._needs = TensorNeeds()
        self._inputs: dict[str, Tensor] = {}
        self._key_of: dict[int, str] = {}  # of a tensor's identity
        self.dtype = torch.float64  # of the results: that of what differs from row to row
        self.cut: list[dict[str, Tensor]] = [{} for _ in parts]
        self._names: list[dict[str, str]] = []  # of each query: the column behind each name
        for number, part in enumerate(parts):
            self._names.append(self._name_columns(number, part))

    def gathered(self) -> tuple[Tensor, list[IntArray]]:
        """The vector [weights] in float64, and for each query [rows, n] the places of its n weights in it."""
        env = self._environment
        columns = gather_columns(self._needs, self._inputs, env.sources, env.embeddings, env.networks, env.device)
        of_slots = self._network_slots(columns)
        if self._pieces:
            self.dtype = self._pieces[0].dtype
            for piece in self._pieces[1:]:
                self.dtype = torch.promote_types(self.dtype, piece.dtype)
        learnt = {slot: self._add(slot.weights(env.distributions(slot.name)))
                  for slot in dict.fromkeys(s for p in self._parts for s in p.structure.learnable)}  # fmt: skip
        fixed: dict[int, int] = {}
        places = []
        for number, part in enumerate(self._parts):
            structure, rows = part.structure, part.rows
            found: list[IntArray] = [
                self._rows(*of_slots[number, call.network, i], slot.values, rows)
                for call in structure.calls
                for i, slot in enumerate(call.slots)
            ]
            for term in structure.observed:
                value = torch.stack((part.observed[term], 1 - part.observed[term]), dim=1)
                found.append(self._rows(self._add(value), len(value), 2, rows))
            for computed in structure.computed:
                names = tuple(p if isinstance(p, float) else self._names[number][p] for p in computed.probabilities)
                value = replace(computed, probabilities=names).weights(columns)
                found.append(self._rows(self._add(value), len(value), value.shape[1], rows))
            found += [self._rows(learnt[slot], 1, len(slot.fixed), rows) for slot in structure.learnable]
            if id(structure.fixed) not in fixed:
                fixed[id(structure.fixed)] = self._add(structure.fixed)
            found.append(self._rows(fixed[id(structure.fixed)], 1, len(structure.fixed), rows))
            places.append(np.concatenate(found, axis=1))
        return torch.cat([p.reshape(-1).double() for p in self._pieces]), places

    def _add(self, values: Tensor) -> int:
        """Append values to the vector, on the model's device; the place of the first."""
        self._pieces.append(values.to(self._environment.device))
        self._size += values.numel()
        return self._size - values.numel()

    @staticmethod
    def _rows(start: int, given: int, width: int, rows: int) -> IntArray:
        """The places [rows, width] of a matrix [given, width] that starts somewhere; one given row is everyone's."""
        row = np.arange(rows, dtype=np.int64)[:, None] if given == rows else np.zeros((rows, 1), dtype=np.int64)
        return start + row * width + np.arange(width, dtype=np.int64)

    def _network_slots(self, columns: Mapping[str, Any]) -> dict[tuple[int, str, int], tuple[int, int]]:
        """Call every network once: the place and the number of rows of each query's each slot."""
        slots: dict[str, dict[tuple[Any, ...], list[tuple[int, str, int]]]] = {}
        made: dict[tuple[Any, ...], Slot] = {}
        for number, part in enumerate(self._parts):
            for call in part.structure.calls:
                for i, slot in enumerate(call.slots):
                    inputs = tuple(self._names[number][name] for name in slot.inputs)
                    key = (call.network, inputs, slot.values, slot.binary)
                    made.setdefault(key, replace(slot, inputs=inputs))
                    slots.setdefault(call.network, {}).setdefault(key, []).append((number, call.network, i))
        found: dict[tuple[int, str, int], tuple[int, int]] = {}
        for network, users in slots.items():
            call = NetworkCall(network, tuple(made[key] for key in users))
            outputs = network_outputs(call, self._environment.networks[network], columns, are_distributions)
            for who, (place, rows, cut) in zip(users.values(), self._placed(outputs), strict=True):
                found.update(dict.fromkeys(who, (place, rows)))
                for number, *_ in who:
                    if cut is None:
                        break
                    before = self.cut[number].get(network)
                    self.cut[number][network] = cut if before is None else torch.maximum(before, cut)
        return found

    def _placed(self, outputs: Iterator[SlotOutput]) -> Iterator[tuple[int, int, Tensor | None]]:
        """Each slot's place, its number of rows, and what was cut from them."""
        for output in outputs:
            start = self._add(output.probabilities)
            rows, width = len(output.probabilities) // output.slots, output.probabilities.shape[1]
            for slot in range(output.slots):
                cut = None if output.cut is None else output.cut[slot * rows : (slot + 1) * rows]
                yield start + slot * rows * width, rows, cut

    def _name_columns(self, number: int, part: Part) -> dict[str, str]:
        """The columns behind a query's names: one a tensor, however many queries use it."""
        needs, mine = part.structure.needs, {}
        for name, tensor in part.inputs.items():
            mine[name] = self._key_of.setdefault(id(tensor), f"{name} of query {number}")
            self._inputs.setdefault(mine[name], tensor)
        for kind in ("items", "symbols", "values", "numbers"):
            ours, theirs = getattr(self._needs, kind), getattr(needs, kind)
            ours.update(theirs)
            mine.update((name, name) for name in theirs)
        for name, derived in needs.derived.items():
            inputs = tuple(mine[i] for i in derived.inputs)
            mine[name] = name if inputs == derived.inputs else f"{name} of query {number}"
            self._needs.derived.setdefault(mine[name], replace(derived, name=mine[name], inputs=inputs))
        return mine


class _Whole:
    """An evaluation whose readings are taken once for all who share it."""

    def __init__(self, evaluation: Evaluation, dtype: torch.dtype) -> None:
        self.evaluation = evaluation
        self._dtype = dtype
        self._read: dict[str, Tensor] = {}

    def reading(self, kind: str) -> Tensor:
        """``log_probs``, ``probs`` or ``log_evidence``."""
        if kind not in self._read:
            found: Tensor = getattr(self.evaluation, kind)().to(self._dtype)
            if not torch.is_grad_enabled():
                return found
            self._read[kind] = found
        return self._read[kind]


@dataclass(frozen=True)
class _Reading:
    """One query's rows of an evaluation: entries ``queries`` and ``evidence`` of each of its ``rows`` rows."""

    whole: _Whole
    rows: int
    first_row: int
    queries: slice
    evidence: slice

    @property
    def device(self) -> torch.device:
        """Where the results are."""
        return self.whole.evaluation.device

    def _mine(self, kind: str, columns: slice) -> Tensor:
        everything = self.whole.reading(kind)
        if everything.shape[0] == 1:  # laid end to end: this query's rows stand side by side
            return everything[0, columns].reshape(self.rows, -1)
        return everything[self.first_row : self.first_row + self.rows, columns]

    def log_probs(self) -> Tensor:
        """The log-probabilities [rows, query]."""
        return self._mine("log_probs", self.queries)

    def probs(self) -> Tensor:
        """The probabilities [rows, query]."""
        return self._mine("probs", self.queries)

    def log_evidence(self) -> Tensor:
        """The log-probability [rows, 1] of the evidence."""
        return self._mine("log_evidence", self.evidence)

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability [rows] of one query a row."""
        found = self.log_probs()
        if self.rows and not 0 <= int(queries.min()) <= int(queries.max()) < found.shape[1]:
            raise IndexError(int(queries.min()) if int(queries.min()) < 0 else int(queries.max()))
        return found.gather(1, queries.unsqueeze(1)).squeeze(1)

    def impossible(self) -> bool:
        """Whether the evidence of some row has probability zero."""
        if not self.whole.evaluation.plan.conditioned:
            return False
        with torch.no_grad():
            return bool(torch.isneginf(self.log_evidence()).any())


def _side_by_side(
    parts: Sequence[Part], members: Sequence[int], weights: Tensor, places: Sequence[IntArray], dtype: torch.dtype
) -> Iterator[tuple[int, _Reading]]:
    """Queries of one structure as the rows of one evaluation."""
    structure = parts[members[0]].structure
    everything = np.concatenate([places[i] for i in members])  # [rows, weights]
    batched = weights[torch.from_numpy(everything.reshape(-1)).to(weights.device)]
    plan = structure.batched_plan()
    whole = _Whole(Evaluation(plan, batched, batched.new_empty(0), len(everything)), dtype)
    first = 0
    for i in members:
        yield i, _Reading(whole, parts[i].rows, first, slice(0, plan.queries), slice(0, 1))
        first += parts[i].rows


def _end_to_end(
    parts: Sequence[Part], members: Sequence[int], weights: Tensor, places: Sequence[IntArray], dtype: torch.dtype
) -> Iterator[tuple[int, _Reading]]:
    """Queries of different structures as one circuit, evaluated once."""
    plans = [parts[i].structure.shared_plan() for i in members for _ in range(parts[i].rows)]
    rows = [row for i in members for row in places[i]]
    plan = lay_end_to_end(plans, rows)
    whole = _Whole(Evaluation(plan, weights.new_empty(0), weights, 1), dtype)
    query = evidence = 0
    for i in members:
        count = parts[i].rows * len(parts[i].structure.answers)
        span = slice(query, query + count)
        yield i, _Reading(whole, parts[i].rows, 0, span, slice(evidence, evidence + parts[i].rows))
        query += count
        evidence += parts[i].rows
