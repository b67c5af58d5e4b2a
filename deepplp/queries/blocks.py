"""The weights of a query's slots as blocks: as networks return them, and what a network's ``k`` cuts from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from deepplp.evaluation import are_distributions
from deepplp.neural import Column, network_outputs
from deepplp.queries.compiled import Demand
from deepplp.queries.environment import Environment
from deepplp.queries.needs import gather_columns

__all__ = ["Block", "blocks_of", "cut_mass", "log_kept_mass", "renormalised"]


class Block(NamedTuple):
    """The weights [slots * rows, width] of some slots that follow one another, the rows of one slot after another.

    ``rows`` is the batch size, or 1 where all rows share the slots. ``network`` and ``cut`` [slots * rows] say which
    network's ``k`` cut how much.
    """

    weights: Tensor
    slots: int
    network: str = ""
    cut: Tensor | None = None


def blocks_of(
    demand: Demand, inputs: Mapping[str, Column], observed: Mapping[str, Tensor], environment: Environment
) -> list[Block]:
    """The weights of all slots, in their order, as few blocks: outputs of networks stay as they come."""
    columns = inputs if demand.only_inputs else gather_columns(demand.needs, inputs, environment)
    blocks: list[Block] = []
    for call in demand.calls:
        name = call.network
        outputs = network_outputs(call, environment.network(name), columns, are_distributions)
        blocks += [Block(weights, slots, name, cut) for weights, slots, cut in outputs]
    blocks += [Block(torch.stack((observed[t], 1 - observed[t]), dim=1), 1) for t in demand.observed]
    blocks += [Block(computed.weights(columns), 1) for computed in demand.computed]
    return blocks


def cut_mass(blocks: Sequence[Block], slots: Sequence[int]) -> dict[str, Tensor]:
    """The largest mass [rows] that was cut from any of some slots, by network; a network without ``k`` cuts none."""
    found: dict[str, Tensor] = {}
    if all(block.cut is None for block in blocks):
        return found
    wanted = set(slots)
    first = 0
    for block in blocks:
        if block.cut is not None:
            rows = block.cut.reshape(block.slots, -1)
            for i in wanted.intersection(range(first, first + block.slots)):
                cut, before = rows[i - first], found.get(block.network)
                found[block.network] = cut if before is None else torch.maximum(before, cut)
        first += block.slots
    return found


def renormalised(blocks: Sequence[Block]) -> list[Block]:
    """The blocks in which the values that a network keeps sum to one."""
    return [b if b.cut is None else b._replace(weights=_share(b.weights.double())) for b in blocks]


def _share(weights: Tensor) -> Tensor:
    return weights / weights.sum(dim=1, keepdim=True)


def log_kept_mass(blocks: Sequence[Block], choices: Mapping[int, int]) -> Tensor:
    """The logarithm [rows], or [1], of the mass of the worlds in which all choices have values that are kept.

    ``choices`` gives the number of choices that read each slot: each has a value of its own.
    """
    total = torch.zeros(1, dtype=torch.float64)
    first = 0
    for weights, slots, _, cut in blocks:
        counts = [choices.get(first + i, 0) for i in range(slots)]
        if cut is not None and any(counts):  # slots of other requests may have other numbers of rows
            mass = cut.double()
            logs = torch.log1p(-mass / (weights.double().sum(dim=1) + mass)).reshape(slots, -1)
            times = torch.tensor(counts, dtype=logs.dtype).to(logs.device)
            mine = (times.unsqueeze(1) * logs).sum(dim=0)
            total = total.to(mine.device) + mine
        first += slots
    return total
