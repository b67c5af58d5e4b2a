"""The short way from a prepared query's inputs to its evaluation, for the queries of most training loops.

Between two steps of training the processor's caches hold the network and the optimiser. Each Python function on the way
is then fetched from memory, and at small batches the fetching costs more than the arithmetic. So a query that asks one
network alone, about inputs that are alike, is answered in one function. It takes what is right; whatever is not is left
to the long way, which answers it or says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from deepplp.answers import Answers, AnswerTerms
from deepplp.circuit import Plan
from deepplp.evaluation import Evaluation, are_distributions
from deepplp.neural import ROW_SUM_TOLERANCE, NetworkCall, call_network, checked_output
from deepplp.queries.batch import Options, answer_blocks
from deepplp.queries.blocks import Block
from deepplp.queries.compiled import CompiledQuery
from deepplp.queries.environment import Environment
from deepplp.queries.query import InputValue
from deepplp.queries.weights import Request

__all__ = ["Straight"]

_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, eq=False)
class Straight:
    """What such a query asks: one network, about the inputs of these ``names``."""

    compiled: CompiledQuery
    call: NetworkCall
    names: tuple[str, ...]
    plan: Plan
    fixed: Tensor
    terms: AnswerTerms

    @classmethod
    def of(cls, compiled: CompiledQuery) -> Straight | None:
        """The short way of a compiled query; None where it asks for more."""
        demand = compiled.demand
        more = demand.observed or demand.computed or compiled.blocks or compiled.is_conditioned
        if more or len(demand.calls) != 1 or not demand.only_inputs:
            return None
        (call,) = demand.calls
        if len(call.columns) != 1 or not call.uniform or call.slots[0].kind != "categorical":
            return None
        names = call.columns[0]
        if set(names) != set(demand.needs.inputs):
            return None
        return cls(compiled, call, names, compiled.plan(frozenset()), compiled.fixed, compiled.answers)

    def answers(self, given: Mapping[str, InputValue], environment: Environment, chosen: Options) -> Answers | None:
        """The answers for inputs by name; None where the inputs or the network need the long way."""
        network = environment.network(self.call.network)
        if network.k is not None or network.output != "probabilities" or environment.distributions.device != _CPU:
            return None
        columns: list[Tensor] = []
        for name in self.names:
            column = given.get(name)
            if type(column) is not Tensor or not column.ndim:
                return None
            columns.append(column)
        first = columns[0]
        shape, form, device = first.shape, first.dtype, first.device
        for column in columns:
            if column.shape != shape or column.dtype is not form or column.device != device:
                return None
        joined = first if len(columns) == 1 else torch.cat(columns)
        slot = self.call.slots[0]
        raw = call_network(self.call.network, network, (joined,), slot.declaration, slot.position)
        rows = shape[0]
        right = (
            (raw.dtype is torch.float32 or raw.dtype is torch.float64)
            and raw.shape == (rows * len(columns), slot.values)
            and are_distributions(raw, ROW_SUM_TOLERANCE, 0.0)
        )
        weights = raw if right else checked_output(self.call, network, raw, rows, are_distributions).weights
        if weights.device == _CPU:
            return Answers(self.terms, Evaluation(self.plan, weights, self.fixed, rows, dtype=chosen.dtype))
        return answer_blocks(
            Request(self.compiled, dict(zip(self.names, columns, strict=True)), {}, rows),
            [Block(weights, len(columns))],
            environment,
            chosen,
        )
