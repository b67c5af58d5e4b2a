"""What a model gives to its queries, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import nn

from deepplp.grounding import PythonFunction
from deepplp.neural import Distributions, LearntNumbers, Network

__all__ = ["Environment", "TensorSource"]


class TensorSource(Protocol):
    """A mapping or a data set: items are tensors without batch axis, or tuples that start with one."""

    def __getitem__(self, key: object, /) -> object: ...


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """The networks and parameters of a model, and what was registered on it.

    An environment never changes: what is registered makes another one, with the next ``version``. A query takes the one
    that is there when it begins, and keeps it to its end. ``functions_version`` counts the changes that what is ground
    depends on. ``params`` are numbers that are learnt, ``symbols`` gives the embedding table and the row of every
    embedded symbol.
    """

    networks: nn.ModuleDict
    distributions: Distributions
    embeddings: nn.ModuleDict
    params: LearntNumbers
    sources: Mapping[str, TensorSource] = field(default_factory=dict)
    symbols: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    functions: tuple[PythonFunction, ...] = ()
    version: int = 0
    functions_version: int = 0

    @property
    def device(self) -> torch.device:
        """Where the model was moved to; where its networks are, if they alone were moved."""
        own = self.distributions.device
        if own.type != "cpu":
            return own
        return next((p.device for network in self.networks.values() for p in network.parameters()), own)

    def network(self, name: str) -> Network:
        """A network by its name."""
        found = self.networks._modules[name]
        assert isinstance(found, Network)
        return found

    def with_modules(
        self,
        networks: nn.ModuleDict,
        distributions: Distributions,
        embeddings: nn.ModuleDict,
        params: LearntNumbers,
    ) -> Environment:
        """The same for a copy of the model, which has modules of its own."""
        return replace(self, networks=networks, distributions=distributions, embeddings=embeddings, params=params)

    def __deepcopy__(self, memo: dict[int, object]) -> Environment:
        return self  # a copy of a model reads the same data, and gives it modules of its own

    def with_source(self, name: str, source: TensorSource) -> Environment:
        """The same with one more tensor source."""
        return replace(self, sources={**self.sources, name: source}, version=self.version + 1)

    def with_symbols(self, symbols: Mapping[str, tuple[str, int]]) -> Environment:
        """The same with more embedded symbols."""
        return replace(self, symbols={**self.symbols, **symbols}, version=self.version + 1)

    def with_function(self, function: PythonFunction) -> Environment:
        """The same with one more Python predicate, in place of one of the same name and arity."""
        others = [f for f in self.functions if (f.name, f.arity) != (function.name, function.arity)]
        return replace(
            self,
            functions=(*others, function),
            version=self.version + 1,
            functions_version=self.functions_version + 1,
        )
