"""From requests to answers: their circuits in as few walks as possible.

A request of its own is one walk, on the networks' outputs as they come. Several requests of one compiled query are the
rows of one batch. What is left, where hardly two requests are alike, is laid end to end: all circuits are one plan of
one row, and the kernel walks it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

from deepplp.answers import Answers
from deepplp.circuit import IntArray, lay_end_to_end
from deepplp.errors import InconsistentEvidenceError, QueryError
from deepplp.evaluation import Evaluation
from deepplp.queries.blocks import Block, blocks_of, cut_mass, log_kept_mass, renormalised
from deepplp.queries.bounds import BoundedReadings, Walked, WalkedReadings
from deepplp.queries.contradiction import nothing_follows
from deepplp.queries.environment import Environment
from deepplp.queries.weights import Request, SharedWeights

__all__ = ["OnInconsistent", "Options", "answer_blocks", "answer_many", "answer_one", "options"]

_ROWS_OF_THEIR_OWN = 8  # from so many examples of one compiled query on, side by side beats end to end
_LARGE = 2_000  # elements of a circuit, from which on it is walked on its own: laying out copies of it costs more
_NO_SLOTS: frozenset[int] = frozenset()

OnInconsistent = Literal["raise", "nan"]


class Options(NamedTuple):
    """What becomes of rows whose evidence has probability 0, and the dtype of answers."""

    on_inconsistent: OnInconsistent = "raise"
    dtype: torch.dtype = torch.float64


_DEFAULT = Options()


def options(on_inconsistent: OnInconsistent, dtype: torch.dtype | None) -> Options:
    """Checked options."""
    if on_inconsistent == "raise" and dtype is None:
        return _DEFAULT
    if on_inconsistent not in get_args(OnInconsistent):
        raise QueryError(f"on_inconsistent is 'raise' or 'nan', not {on_inconsistent!r}")
    if dtype not in (None, torch.float64, torch.float32):
        raise QueryError(f"answers are torch.float64 or torch.float32, not {dtype}")
    return Options(on_inconsistent, dtype or torch.float64)


def answer_one(request: Request, environment: Environment, chosen: Options) -> Answers:
    """The answers of one request."""
    blocks = blocks_of(request.compiled.demand, request.inputs, request.observed, environment)
    return answer_blocks(request, blocks, environment, chosen)


def answer_blocks(request: Request, blocks: Sequence[Block], environment: Environment, chosen: Options) -> Answers:
    """The answers of one request, whose weights are there."""
    compiled = request.compiled
    cut = cut_mass(blocks, range(len(compiled.demand.sizes)))
    walked = _bounded if cut else _direct_evaluation
    readings = walked(request, blocks, environment, chosen.dtype)
    if chosen.on_inconsistent == "raise" and compiled.is_conditioned:
        _check_possible([request], {0: readings})
    return Answers(compiled.answers, readings, cut)


def answer_many(requests: Sequence[Request], environment: Environment, chosen: Options) -> list[Answers]:
    """The answers of several requests; each network is called once."""
    if len(requests) < 2:
        return [answer_one(request, environment, chosen) for request in requests]
    weights = SharedWeights(requests, environment)
    places = [weights.places(i) for i in range(len(requests))]
    cut = [weights.cut(i) for i in range(len(requests))]
    readings: Mapping[int, WalkedReadings]
    if any(cut):
        double = torch.float64
        found = _walked(requests, weights.vector(), places, double)
        normalised = Walked(lambda: _walked(requests, weights.vector(scaled=True), places, double))
        readings = {
            i: BoundedReadings(r.compiled.circuit, found[i], normalised, i, weights.log_kept(i), chosen.dtype)
            for i, r in enumerate(requests)
        }
    else:
        readings = _walked(requests, weights.vector(), places, chosen.dtype)
    if chosen.on_inconsistent == "raise":
        _check_possible(requests, readings)
    return [Answers(r.compiled.answers, readings[i], cut[i]) for i, r in enumerate(requests)]


def _bounded(
    request: Request, blocks: Sequence[Block], environment: Environment, dtype: torch.dtype
) -> BoundedReadings:
    """The readings of one request some of whose weights are cut."""
    double, compiled = torch.float64, request.compiled
    found = _direct_evaluation(request, blocks, environment, double)
    normalised = Walked(lambda: {0: _direct_evaluation(request, renormalised(blocks), environment, double)})
    log_kept = log_kept_mass(blocks, compiled.choices_by_slot)
    return BoundedReadings(compiled.circuit, found, normalised, 0, log_kept, dtype)


def _walked(
    requests: Sequence[Request], vector: Tensor, places: Sequence[IntArray], dtype: torch.dtype
) -> dict[int, _Reading]:
    """The readings of all requests, from the vector of their weights and where each row's stand in it."""
    readings: dict[int, _Reading] = {}
    rest: list[int] = []
    for members in _alike(requests):
        rows = sum(requests[i].rows for i in members)
        large = requests[members[0]].compiled.circuit.elements >= _LARGE
        if rows >= _ROWS_OF_THEIR_OWN or large or not rows or len(members) == len(requests):
            readings.update(_side_by_side(requests, members, vector, places, dtype))
        else:
            rest += members
    if rest:
        readings.update(_end_to_end(requests, rest, vector, places, dtype))
    return readings


def _direct_evaluation(
    request: Request, blocks: Sequence[Block], environment: Environment, dtype: torch.dtype
) -> Evaluation:
    """The walk of one request, whose plan reads the blocks as they are."""
    compiled, rows = request.compiled, request.rows
    if len(blocks) == 1 and not compiled.blocks:  # one network, nothing learnt: its output is all that there is
        weights, slots, _, _ = blocks[0]
        alike = weights.device == compiled.fixed.device == environment.distributions.device
        if alike and weights.shape[0] == rows * slots:
            return Evaluation(compiled.plan(_NO_SLOTS), weights, compiled.fixed, rows, dtype=dtype)
    device = environment.distributions.device
    if blocks and device.type == "cpu":  # networks alone may have been moved
        device = blocks[0].weights.device
    wide: list[Tensor] = []
    common: list[Tensor] = []
    shared_slots = _NO_SLOTS
    first = 0
    for weights, slots, _, _ in blocks:
        flat = weights.reshape(-1)
        if flat.device != device:
            flat = flat.to(device)
        if weights.shape[0] == rows * slots:
            wide.append(flat)
        else:
            common.append(flat)
            shared_slots |= frozenset(range(first, first + slots))
        first += slots
    others = compiled.common_weights(environment.distributions, device)
    batched = wide[0] if len(wide) == 1 else torch.cat(wide) if wide else others.new_empty(0)
    shared = torch.cat([*common, others]) if common else others
    return Evaluation(compiled.plan(shared_slots), batched, shared, rows, dtype=dtype)


def _check_possible(requests: Sequence[Request], readings: Mapping[int, WalkedReadings]) -> None:
    """Raise where some row's evidence has probability 0: rows are named for one request, else the requests."""
    impossible = {i: rows for i in sorted(readings) if (rows := readings[i].impossible_rows())}
    if not impossible:
        return
    alone = len(requests) == 1
    named = impossible[0] if alone else list(impossible)
    listed = ", ".join(map(str, named[:10])) + (f", … ({len(named)} in all)" if named[10:] else "")
    if not alone:
        where = f"the evidence of quer{'ies' if named[1:] else 'y'} {listed} has probability 0"
    elif requests[0].rows > 1:
        where = f"the evidence has probability 0 in row{'s' if named[1:] else ''} {listed} of the batch"
    else:
        where = "the evidence has probability 0"
    raise InconsistentEvidenceError(nothing_follows(where), rows=tuple(named))


def _alike(requests: Sequence[Request]) -> list[list[int]]:
    """The numbers of the requests, those of one circuit together."""
    groups: dict[int, list[int]] = {}
    for i, request in enumerate(requests):
        groups.setdefault(id(request.compiled.circuit), []).append(i)
    return list(groups.values())


class _SharedEvaluation:
    """An evaluation whose readings are taken once for all who share it."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self._read: dict[str, Tensor] = {}

    def reading(self, kind: Literal["log_probs", "probs", "log_evidence"]) -> Tensor:
        """A reading of all rows and roots."""
        found = self._read.get(kind)
        if found is None:
            found = getattr(self.evaluation, kind)()
            if torch.is_grad_enabled():
                self._read[kind] = found
        return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """One request's part of an evaluation: the columns ``queries`` and ``evidence`` of the evaluation's rows ``taken``.

    They are the request's ``rows`` rows, one after another, of so many ``answers`` each.
    """

    shared: _SharedEvaluation
    rows: int
    answers: int
    taken: slice
    queries: slice
    evidence: slice

    @property
    def device(self) -> torch.device:
        """Where the results are."""
        return self.shared.evaluation.device

    def log_probs(self) -> Tensor:
        """The log-probabilities [rows, query]."""
        return self.shared.reading("log_probs")[self.taken, self.queries].reshape(self.rows, self.answers)

    def probs(self) -> Tensor:
        """The probabilities [rows, query]."""
        return self.shared.reading("probs")[self.taken, self.queries].reshape(self.rows, self.answers)

    def upper_probs(self) -> Tensor:
        """The probabilities: nothing is cut from what they are read from."""
        return self.probs()

    def log_evidence(self) -> Tensor:
        """The log-probability [rows, 1] of the evidence."""
        return self.shared.reading("log_evidence")[self.taken, self.evidence].reshape(self.rows, 1)

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability [rows] of one query a row."""
        found = self.log_probs()
        if self.rows and not 0 <= int(queries.min()) <= int(queries.max()) < found.shape[1]:
            raise IndexError(int(queries.min()) if int(queries.min()) < 0 else int(queries.max()))
        return found.gather(1, queries.unsqueeze(1)).squeeze(1)

    def impossible_rows(self) -> list[int]:
        """The rows, of this request's, whose evidence has probability zero."""
        if not self.shared.evaluation.plan.conditioned:
            return []
        with torch.no_grad():
            zero = torch.isneginf(self.log_evidence()).any(dim=1)
        return [int(i) for i in zero.nonzero().flatten()]


def _side_by_side(
    requests: Sequence[Request], members: Sequence[int], weights: Tensor, places: Sequence[IntArray], dtype: torch.dtype
) -> Iterator[tuple[int, _Reading]]:
    """Requests of one circuit as the rows of one evaluation."""
    everything = np.concatenate([places[i] for i in members])  # [rows, weights]
    batched = weights[torch.from_numpy(everything.reshape(-1)).to(weights.device)]
    plan = requests[members[0]].compiled.batched_plan()
    shared = _SharedEvaluation(Evaluation(plan, batched, batched.new_empty(0), len(everything), dtype=dtype))
    first = 0
    for i in members:
        last = first + requests[i].rows
        yield i, _Reading(shared, last - first, plan.queries, slice(first, last), slice(0, plan.queries), slice(0, 1))
        first = last


def _end_to_end(
    requests: Sequence[Request], members: Sequence[int], weights: Tensor, places: Sequence[IntArray], dtype: torch.dtype
) -> Iterator[tuple[int, _Reading]]:
    """Requests of different circuits as one circuit, evaluated once."""
    plans = [requests[i].compiled.shared_plan() for i in members for _ in range(requests[i].rows)]
    plan = lay_end_to_end(plans, [row for i in members for row in places[i]])
    shared = _SharedEvaluation(Evaluation(plan, weights.new_empty(0), weights, 1, dtype=dtype))
    query = evidence = 0
    for i in members:
        rows, answers = requests[i].rows, len(requests[i].compiled.answers)
        columns = slice(query, query + rows * answers), slice(evidence, evidence + rows)
        yield i, _Reading(shared, rows, answers, slice(0, 1), *columns)
        query, evidence = columns[0].stop, columns[1].stop
