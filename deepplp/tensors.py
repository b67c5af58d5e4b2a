"""Which tensors a query's networks need: inputs of the call, items of tensor sources, and outputs of other networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deepplp.errors import MissingInputError, Position
from deepplp.grounding import Choice, Neural
from deepplp.neural import DerivedTensor
from deepplp.program import list_items

__all__ = ["SourceItem", "TensorNeeds", "tensor_needs"]


@dataclass(frozen=True, slots=True)
class SourceItem:
    """``tensor(train(3))``: item 3 of the source ``train``."""

    name: str
    source: str
    key: Any


@dataclass
class TensorNeeds:
    """All tensors that are needed, by the text of their terms."""

    inputs: dict[str, None] = field(default_factory=dict)
    items: dict[str, SourceItem] = field(default_factory=dict)
    derived: dict[str, DerivedTensor] = field(default_factory=dict)


def tensor_needs(
    choices: Iterable[Choice], names: Iterable[str], sources: Mapping[str, Any], networks: Iterable[str]
) -> TensorNeeds:
    """Resolve the networks' arguments; an argument that is no tensor is an error that says what is there instead."""
    resolution = _Resolution(set(names), sources, set(networks))
    for choice in choices:
        if isinstance(choice.source, Neural):
            for term in choice.source.inputs:
                resolution.add(term, choice.source.declaration.network, choice.position)
    return resolution.needs


class _Resolution:
    """Notes the tensors that arguments stand for, without recursion: a recurrent network nests them deeply."""

    def __init__(self, names: set[str], sources: Mapping[str, Any], networks: set[str]) -> None:
        self.needs = TensorNeeds()
        self._names = names
        self._sources = sources
        self._networks = networks
        self._levels: dict[str, int] = {}

    def add(self, argument: Any, network: str, position: Position | None) -> None:
        """Note an argument of a network, and all that it is computed from."""
        stack = [(argument, network)]
        while stack:
            term, user = stack[-1]
            name = str(term)
            if name in self._levels:
                stack.pop()
                continue
            computed_by, arguments = self._computation(term)
            missing = [a for a in arguments if str(a) not in self._levels]
            if computed_by is not None and missing:
                stack += [(a, computed_by) for a in missing]
                continue
            if computed_by is not None:
                level = 1 + max((self._levels[str(a)] for a in arguments), default=0)
                inputs = tuple(map(str, arguments))
                self.needs.derived[name] = DerivedTensor(name, computed_by, inputs, level, position)
                self._levels[name] = level
            else:
                self._leaf(term, name, user, position)
                self._levels[name] = 0
            stack.pop()

    def _computation(self, term: Any) -> tuple[str | None, list[Any]]:
        """The network and arguments of ``tensor(nn(network, [arguments]))``."""
        inner = _inside_tensor(term)
        if str(term) in self._names or getattr(inner, "functor", None) != "nn" or inner.arity != 2:
            return None, []
        network = str(inner.args[0])
        return (network, list_items(inner.args[1]) or []) if network in self._networks else (None, [])

    def _leaf(self, term: Any, name: str, network: str, position: Position | None) -> None:
        inner = _inside_tensor(term)
        if name in self._names:
            self.needs.inputs[name] = None
        elif str(getattr(inner, "functor", "")) in self._sources:
            key = tuple(_key(a) for a in inner.args)
            self.needs.items[name] = SourceItem(name, str(inner.functor), key[0] if len(key) == 1 else key)
        else:
            given = ", ".join(sorted(self._names)) or "none"
            also = f"; tensor sources: {', '.join(self._sources)}" if self._sources else ""
            raise MissingInputError(
                f"network {network!r} needs a tensor for {name}, which is no input of this call; its inputs are: "
                f"{given}{also}",
                position,
            )


def _inside_tensor(term: Any) -> Any:
    return term.args[0] if getattr(term, "functor", None) == "tensor" and term.arity == 1 else None


def _key(term: Any) -> int | float | str:
    """A term as the key of a mapping or data set: numbers as numbers, everything else as text."""
    text = str(term)
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text.strip("'\"")
