"""What a query's networks are given: inputs of the call, items of sources, embedded symbols, values, and tensors."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from deepplp.errors import InputError, MissingInputError, Position
from deepplp.formula import Choice, Computed, Neural
from deepplp.grounding import TENSOR_SIGNATURES, is_arithmetic, tensor_expression, to_python
from deepplp.neural import Column, DerivedTensor, Values, add_derived_tensors
from deepplp.program import learnt_number, list_items, unquoted
from deepplp.queries.environment import Environment, TensorSource

__all__ = ["SourceItem", "TensorNeeds", "gather_columns", "tensor_needs"]


@dataclass(frozen=True, slots=True)
class SourceItem:
    """``tensor(train(3))``: item 3 of the source ``train``, a tensor; for a network that ``takes_values`` anything."""

    name: str
    source: str
    key: Any
    takes_values: bool


@dataclass
class TensorNeeds:
    """All columns that are needed, by the text of their terms.

    ``symbols`` are rows of embedding tables, ``params`` names of learnt numbers, ``values`` what networks take as
    Python values, ``numbers`` constants in tensor functions.
    """

    inputs: dict[str, None] = field(default_factory=dict)
    items: dict[str, SourceItem] = field(default_factory=dict)
    symbols: dict[str, tuple[str, int]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    derived: dict[str, DerivedTensor] = field(default_factory=dict)

    @property
    def only_inputs(self) -> bool:
        """Whether the call's inputs are all there is."""
        return not (self.items or self.symbols or self.params or self.values or self.numbers or self.derived)

    def independent_of_inputs(self) -> list[str]:
        """The names of the columns that mean the same in every call."""
        return [*self.items, *self.symbols, *self.params, *self.values, *self.numbers]

    def add(self, other: TensorNeeds) -> None:
        """Take over what means the same in every call."""
        self.items.update(other.items)
        self.symbols.update(other.symbols)
        self.params.update(other.params)
        self.values.update(other.values)
        self.numbers.update(other.numbers)


def tensor_needs(choices: Iterable[Choice], names: Collection[str], environment: Environment) -> TensorNeeds:
    """Resolve the networks' arguments, given the inputs' ``names``.

    An argument that is no tensor is an error that says what is there instead.
    """
    resolution = _Resolution(frozenset(names), environment)
    for choice in choices:
        if isinstance(choice.origin, Neural):
            network = choice.origin.declaration.network
            for term in choice.origin.inputs:
                takes_values = environment.network(network).inputs == "values"
                resolution.add(_Use(term, network, takes_values), choice.position)
        elif isinstance(choice.origin, Computed):
            for term in choice.origin.tensors:
                resolution.add(_Use(term, "", False), choice.position)
    return resolution.needs


def gather_columns(needs: TensorNeeds, inputs: Mapping[str, Column], environment: Environment) -> Mapping[str, Column]:
    """All columns that networks take: the inputs, and what sources, embedding tables and other networks give.

    What is not an input has one row, unless it is computed from inputs. Items of sources and numbers are brought to the
    model's device; inputs are where the caller put them.
    """
    if needs.only_inputs:
        return inputs
    device = environment.device
    columns: dict[str, Column] = dict(inputs)
    for name, item in needs.items.items():
        found = _source_item(name, item, environment.sources)
        columns[name] = found.to(device) if isinstance(found, Tensor) else found
    by_table: dict[str, list[tuple[str, int]]] = {}
    for name, (table, index) in needs.symbols.items():
        by_table.setdefault(table, []).append((name, index))
    for table, rows in by_table.items():
        embedding = environment.embeddings[table]
        place = next(embedding.parameters()).device
        vectors = embedding(torch.tensor([index for _, index in rows], device=place))
        columns.update((name, vectors[i : i + 1]) for i, (name, _) in enumerate(rows))
    columns.update((name, environment.params[param].reshape(1)) for name, param in needs.params.items())
    columns.update((name, Values((value,))) for name, value in needs.values.items())
    columns.update((name, torch.tensor([number], device=device)) for name, number in needs.numbers.items())
    add_derived_tensors(tuple(needs.derived.values()), environment.network, columns, device)
    return columns


def _source_item(name: str, item: SourceItem, sources: Mapping[str, TensorSource]) -> Column:
    try:
        value = sources[item.source][item.key]
    except (KeyError, IndexError, TypeError) as error:
        raise MissingInputError(f"tensor source {item.source!r} has no item {item.key!r}, for {name}") from error
    if isinstance(value, tuple) and value:  # a data set's item with its label
        value = value[0]
    if isinstance(value, Tensor):
        return value.unsqueeze(0)
    if item.takes_values:
        return Values((value,))
    raise InputError(
        f"item {item.key!r} of tensor source {item.source!r} is a {type(value).__name__}, no tensor; for a network "
        "that takes such values, say so: deepplp.Network(net, inputs='values')"
    )


@dataclass(frozen=True, slots=True)
class _Use:
    """A term as an argument: of which network ("" for a tensor function), and whether that takes Python values."""

    term: Any
    network: str
    takes_values: bool

    @property
    def name(self) -> str:
        """The name of its column; numbers are tensors in functions, and values in networks."""
        compound = bool(self.term.args) and self.term.functor != "."  # a network's outputs nest deeply
        is_tensor = self.network or compound or not isinstance(to_python(self.term), (int, float, list))
        return str(self.term) if is_tensor else f"function:{self.term}"


class _Resolution:
    """Notes the columns that arguments stand for, without recursion: a recurrent network nests them deeply."""

    def __init__(self, names: frozenset[str], environment: Environment) -> None:
        self.needs = TensorNeeds()
        self._names = names
        self._around = environment
        self._levels: dict[str, int] = {}

    def add(self, use: _Use, position: Position | None) -> None:
        """Note an argument, and all that it is computed from."""
        stack = [use]
        while stack:
            use = stack[-1]
            if use.name in self._levels:
                stack.pop()
                continue
            made = self._computation(use, position)
            if made is None:
                self._leaf(use, position)
                self._levels[use.name] = 0
                stack.pop()
                continue
            kind, computation, parts, parameters = made
            missing = [part for part in parts if part.name not in self._levels]
            if missing:
                stack += missing
                continue
            level = 1 + max((self._levels[part.name] for part in parts), default=0)
            inputs = tuple(part.name for part in parts)
            self.needs.derived[use.name] = DerivedTensor(
                use.name, kind, computation, inputs, level, position, parameters
            )
            self._levels[use.name] = level
            stack.pop()

    def _computation(self, use: _Use, position: Position | None) -> Any:
        """(kind, computation, parts, parameters) of a term that is computed from others, None for a leaf."""
        term = use.term
        if str(term) in self._names:
            return None
        inner = _inside_tensor(term)
        functor = str(getattr(inner, "functor", ""))
        if str(inner) in self._names or str(inner) in self._around.symbols:  # tensor(a) is a
            return "alias", "", [_Use(inner, use.network, False)], ()
        if functor == "nn" and inner.arity == 2 and str(inner.args[0]) in self._around.networks:
            name = str(inner.args[0])
            values = self._around.network(name).inputs == "values"
            return "network", name, [_Use(a, name, values) for a in list_items(inner.args[1]) or ()], ()
        if inner is not None and functor not in self._around.sources and is_arithmetic(inner):
            expression = tensor_expression(inner, self._names, compares=True)
            return "arithmetic", "", [_Use(t, "", True) for t in expression.tensors], (expression.steps,)
        if functor in TENSOR_SIGNATURES and functor not in self._around.sources:
            tensors = TENSOR_SIGNATURES[functor].tensors
            arguments = list(inner.args)
            parameters = tuple(to_python(a) for a in arguments[tensors:])
            return "function", functor, [_Use(a, "", False) for a in arguments[:tensors]], parameters
        items = list_items(term)
        if items and self._is_tensor_list(items, use, position):
            return "list", "", [_Use(i, use.network, False) for i in items], ()
        return None

    def _is_tensor_list(self, items: list[Any], use: _Use, position: Position | None) -> bool:
        """Whether a list is one of tensors; for a network that takes values it may be one of values, but not a mix."""
        if not use.takes_values:
            return True
        tensors = [self._is_tensor(item) for item in items]
        if any(tensors) and not all(tensors):
            raise InputError(
                f"the list {use.term} for network {use.network!r} mixes tensors and values; give them as arguments of "
                "their own",
                position,
            )
        return all(tensors)

    def _is_tensor(self, term: Any) -> bool:
        return str(term) in self._names or str(term) in self._around.symbols or _inside_tensor(term) is not None

    def _leaf(self, use: _Use, position: Position | None) -> None:
        term, around = use.term, self._around
        text = str(term)
        inner = _inside_tensor(term)
        functor = str(getattr(inner, "functor", ""))
        symbol = str(inner.args[0]) if functor == "embed" and inner.arity == 1 else text
        if text in self._names:
            self.needs.inputs[text] = None
        elif functor in around.sources:
            key = tuple(_key(a) for a in inner.args)
            self.needs.items[text] = SourceItem(text, functor, key[0] if len(key) == 1 else key, use.takes_values)
        elif symbol in around.symbols:
            self.needs.symbols[text] = around.symbols[symbol]
        elif (param := learnt_number(term)) is not None and not (use.network and use.takes_values):
            self.needs.params[use.name] = self._param(*param, position)
        elif not use.network and isinstance(number := to_python(term), (int, float)):
            self.needs.numbers[use.name] = float(number)
        elif use.takes_values and inner is None:
            self.needs.values[use.name] = to_python(term)
        else:
            raise MissingInputError(self._missing(use), position)

    def _param(self, name: str, start: float, position: Position | None) -> str:
        """The name of a learnt number, which the model must have."""
        known = self._around.params.starts.get(name)
        shown = f"param({name},{start:.12g})"
        if known is None:
            raise MissingInputError(
                f"{shown} is no parameter of the model: a number that is learnt stands in the program as it is, with "
                "its name and the number that it starts at",
                position,
            )
        if known != start:
            raise InputError(
                f"{shown} starts at {start:.12g} here, and at {known:.12g} in the program; write the same number, or "
                "take another name",
                position,
            )
        return name

    def _missing(self, use: _Use) -> str:
        around = self._around
        given = ", ".join(sorted(self._names)) or "none"
        also = f"; tensor sources: {', '.join(around.sources)}" if around.sources else ""
        who = f"network {use.network!r} needs" if use.network else "a tensor function needs"
        text = f"{who} a tensor for {use.term}, which is no input of this call; its inputs are: {given}{also}"
        close = difflib.get_close_matches(str(use.term), self._names, n=1, cutoff=0.7)
        text += f"; did you mean {close[0]}?" if close else ""
        is_value = _inside_tensor(use.term) is None
        if not is_value and not around.sources and str(_inside_tensor(use.term).functor) != "embed":
            text += "; model.add_tensor_source(name, data) names data whose items a program may use"
        if use.network and is_value and not self._names:
            text += f"; if {use.network} takes such terms as they are, say so: deepplp.Network(net, inputs='values')"
        return text


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
    return unquoted(unquoted(text), '"')
