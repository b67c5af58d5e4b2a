"""The language of program headers: networks, inputs and what a program should come to, as comments that tests replay.

A header's lines begin with ``%``; blanks around ``,``, ``;`` and ``=`` do not count.

========================================  ==============================================================================
``Network net: uniform 3``                every row of its output is uniform over 3 values (10 without a number)
``Network net: constant 0.2, 0.8``        every row is this one
``Network net: one-hot 4``                a digit, an input or a Python value, is observed (10 without a number)
``Network net: rows``                     its input is its output; so ``softmax``, ``sigmoid``, ``dot`` and ``sum``
``Network net: a = 0.2, 0.8; b = 1, 0``   a row for each input, or list of inputs: ``a, b = 0.3``
``Network net (logits, values, k=2): …``  ``deepplp.Network(…, output="logits", inputs="values", k=2)``
``Inputs: a b``                           the constants that name inputs; without it, all constants of a query
``Input a: 0.2, 0.8``                     an input's tensor, of one row; a whole number is a digit
``Source train: 0 = 0.2, 0.8; 1 = 1, 0``  a tensor source
``Embedding way: up = 1.0, 2.0``          an embedding
``Facts: edge(a, b). 0.3 :: c.``          facts of all queries, on top of the program
``Expected outcome:``                     then lines ``win(a) : 0.25``
``Expected gradient:``                    then lines ``win(a) / net(a) : 0.5, 0.1``, by a row, or by an input
========================================  ==============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

import deepplp

__all__ = ["Header", "Replay", "central_differences", "gradient"]

FUNCTIONS: Mapping[str, Callable[..., Tensor]] = {
    "rows": lambda x: x,
    "softmax": lambda x: torch.softmax(x, dim=1),
    "sigmoid": lambda x: torch.sigmoid(x).reshape(len(x), -1)[:, 0],
    "dot": lambda x, y: torch.sigmoid((x * y).sum(dim=1)),
    "sum": lambda xs: torch.stack(list(xs)).sum(dim=0),
}


def _numbers(text: str) -> list[float]:
    return [float(x) for x in text.split(",")]


def _entries(text: str) -> dict[str, list[float]]:
    """``a = 0.2, 0.8; b = 1, 0`` as rows by key."""
    pairs = (entry.rpartition("=") for entry in text.split(";") if entry.strip())
    return {_squeezed(key): _numbers(row) for key, _, row in pairs}


def _squeezed(key: str) -> str:
    """A key without blanks outside of quotes, and without the quotes."""
    return re.sub(r"""\s+(?=(?:[^"]*"[^"]*")*[^"]*$)""", "", key).replace('"', "")


def _lines(text: str, title: str) -> list[tuple[str, str]]:
    """The lines ``% key : value`` below a title, up to an empty line or one of another form."""
    _, found, block = text.partition(f"% {title}:\n")
    lines = []
    for line in block.splitlines() if found else ():
        match = re.match(r"^% (.+) : (.+)$", line)
        if match is None:
            break
        lines.append((match[1], match[2]))
    return lines


@dataclass
class Header:
    """What the comments at the top of a program state."""

    networks: dict[str, tuple[str, str]]
    inputs: dict[str, str]
    names: list[str] | None
    sources: dict[str, dict[str, list[float]]]
    embeddings: dict[str, dict[str, list[float]]]
    facts: str
    outcomes: list[tuple[str, float]]
    gradients: list[tuple[str, str, str, list[float]]]

    @classmethod
    def of(cls, text: str) -> Header:
        """Read a program's header."""
        networks: dict[str, tuple[str, str]] = {}
        for name, options, kind in re.findall(r"^% Network (\w+)(?: \((.*?)\))?: (.+)$", text, re.M):
            known_options, known = networks.get(name, (options, ""))
            networks[name] = known_options, f"{known};{kind}" if known else kind
        names = re.search(r"^% Inputs:(.*)$", text, re.M)
        gradients = []
        for left, row in _lines(text, "Expected gradient"):
            query, _, target = left.rpartition(" / ")
            match = re.fullmatch(r"(\w+)(?:\((.*)\))?", target)
            assert match is not None, f"{target!r} is no network's row such as net(a), and no input"
            gradients.append((query, match[1], _squeezed(match[2] or ""), _numbers(row)))
        return cls(
            networks,
            dict(re.findall(r"^% Input (\w+): (.+)$", text, re.M)),
            names[1].split() if names else None,
            {n: _entries(rows) for n, rows in re.findall(r"^% Source (\w+): (.+)$", text, re.M)},
            {n: _entries(rows) for n, rows in re.findall(r"^% Embedding (\w+): (.+)$", text, re.M)},
            " ".join(re.findall(r"^% Facts: (.+)$", text, re.M)),
            [(query, float(p)) for query, p in _lines(text, "Expected outcome")],
            gradients,
        )


class Table(nn.Module):
    """A network that is a table: rows by the names of its inputs, or by Python values."""

    def __init__(self, rows: Mapping[str, Sequence[float]], names: list[str]) -> None:
        super().__init__()
        self.keys = list(rows)
        self.names = names
        self.rows = nn.ParameterList(nn.Parameter(torch.tensor(r, dtype=torch.float64)) for r in rows.values())

    def forward(self, *inputs: Any) -> Tensor:
        """The rows of the inputs, one after another."""
        columns = [[self._text(v) for v in column] for column in inputs]
        found = [self.keys.index(",".join(key)) for key in zip(*columns, strict=True)] if columns else [0]
        return torch.stack([self.rows[i] for i in found])

    def _text(self, value: Any) -> str:
        if isinstance(value, Tensor):
            return self.names[int(value)]
        if isinstance(value, list):
            return f"[{','.join(map(self._text, value))}]"
        return str(value)


class Constant(nn.Module):
    """A network that says the same whatever it sees."""

    def __init__(self, row: Sequence[float]) -> None:
        super().__init__()
        self.row = nn.Parameter(torch.tensor(row, dtype=torch.float64))

    def forward(self, *inputs: Any) -> Tensor:
        """One row an input's row."""
        return self.row.expand(len(inputs[0]) if inputs else 1, -1)


class Stacked(nn.Module):
    """An embedding's table that is made of given rows, so that each is a leaf of its own."""

    def __init__(self, rows: list[Tensor]) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, weight: Tensor) -> Tensor:
        """The rows, whatever the table held."""
        return torch.stack(self.rows)


def _one_hot(size: int) -> Callable[[Any], Tensor]:
    return lambda x: functional.one_hot(torch.as_tensor(x).reshape(-1), size).double()


@dataclass
class Replay:
    """A program's model, made as its header says, and its answers."""

    path: Path
    header: Header = field(init=False)
    leaves: dict[tuple[str, str], Tensor] = field(init=False)
    """What gradients are stated for: rows of tables by network and key, constants by network, inputs by name."""

    def __post_init__(self) -> None:
        text = self.path.read_text()
        self._code = re.sub(r"^%.*$", "", text, flags=re.M)
        self.header = Header.of(text)
        self.leaves = {}
        self._tensors = {name: self._tensor(name, text) for name, text in self.header.inputs.items()}
        self._names = [*self._tensors, *(n for n in self.header.names or () if n not in self._tensors)]
        if self.header.names is None:
            self._names += sorted({n for q, _ in self.header.outcomes for n in _constants(q)} - set(self._names))
        networks = {n: self._network(n, *how) for n, how in self.header.networks.items()}
        self.model = deepplp.Model(deepplp.Program.from_file(self.path), networks)
        for name, rows in self.header.sources.items():
            keys = [int(k) if k.lstrip("-").isdigit() else k for k in rows]
            items = [self._leaf(name, k, torch.tensor(r, dtype=torch.float64)) for k, r in rows.items()]
            self.model.add_tensor_source(name, dict(zip(keys, items, strict=True)))
        for name, rows in self.header.embeddings.items():
            self._embed(name, rows)

    def probability(self, query: str) -> Tensor:
        """The probability of a query's only answer, or of its first."""
        names = _constants(query)
        if self.header.names is not None:
            standing = {*names, *re.findall(r"\w+", self._code + self.header.facts)}
            names = [n for n in self.header.names if n in standing]
        tensors = {n: self._tensors.get(n, torch.tensor([self._names.index(n)])) for n in names}
        facts = {"facts": self.header.facts} if self.header.facts else {}
        return self.model.query(query, tensors, **facts).probs[0, 0]

    def _leaf(self, name: str, key: str, tensor: Tensor) -> Tensor:
        self.leaves[name, key] = tensor.requires_grad_()
        return tensor

    def _tensor(self, name: str, text: str) -> Tensor:
        if re.fullmatch(r"\d+", text):
            return torch.tensor([int(text)])
        return self._leaf(name, "", torch.tensor([_numbers(text)], dtype=torch.float64))

    def _network(self, name: str, options: str, kind: str) -> deepplp.Network:
        module = self._module(name, kind)
        given = [o.strip() for o in options.split(",") if o.strip()]
        output = next((o.replace("-", "_") for o in given if o in ("logits", "log-probabilities")), "probabilities")
        k = next((int(o[2:]) for o in given if o.startswith("k=")), None)
        more = ({"inputs": "values"} if "values" in given else {}) | ({"k": k} if k else {})
        return deepplp.Network(module, output, **more)

    def _module(self, name: str, kind: str) -> Callable[..., Tensor]:
        word, _, rest = kind.partition(" ")
        if word in FUNCTIONS:
            return FUNCTIONS[word]
        if word == "one-hot":
            return _one_hot(int(rest or 10))
        if word in ("uniform", "constant"):
            size = int(rest or 10) if word == "uniform" else 0
            constant = Constant([1 / size] * size if size else _numbers(rest))
            self._leaf(name, "", constant.row)
            return constant
        table = Table(_entries(kind), self._names)
        for key, row in zip(table.keys, table.rows, strict=True):
            self._leaf(name, key, row)
        return table

    def _embed(self, name: str, rows: Mapping[str, list[float]]) -> None:
        vectors = [self._leaf(name, key, torch.tensor(row, dtype=torch.float64)) for key, row in rows.items()]
        table = self.model.add_embedding(name, list(rows), dimension=len(vectors[0]))
        parametrize.register_parametrization(table, "weight", Stacked(vectors), unsafe=True)


def gradient(function: Callable[[], Tensor], leaf: Tensor) -> Tensor:
    """The derivative of a scalar by a tensor that it may depend on; 0 where it does not."""
    value = function()
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    (found,) = torch.autograd.grad(value, leaf, allow_unused=True)
    return torch.zeros_like(leaf) if found is None else found


@torch.no_grad()
def central_differences(function: Callable[[], Tensor], leaf: Tensor, step: float = 1e-6) -> Tensor:
    """The same, by moving every entry of the tensor a little up and down; up alone where it is 0.

    A probability below 0 is no probability, and one that is so by a rounding error counts as 0.
    """
    found = torch.zeros_like(leaf)
    for index in range(leaf.numel()):
        entry = leaf.reshape(-1)[index : index + 1]
        kept = float(entry)

        def moved(by: float, entry: Tensor = entry, kept: float = kept) -> float:
            entry.fill_(kept + by)
            value = float(function())
            entry.fill_(kept)
            return value

        if kept == 0.0:
            slope = (4 * moved(step) - moved(2 * step) - 3 * moved(0.0)) / (2 * step)
        else:
            slope = (moved(step) - moved(-step)) / (2 * step)
        found.reshape(-1)[index] = slope
    return found


def _constants(query: str) -> list[str]:
    """The names that stand in a query's arguments."""
    arguments = re.sub(r"""'[^']*'|"[^"]*\"""", "", query.partition("(")[2])
    return sorted(set(re.findall(r"\b[a-z]\w*\b", arguments)))
