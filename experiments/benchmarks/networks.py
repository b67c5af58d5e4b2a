"""Bayesian networks in BIF, as programs, and an exact oracle for their marginals that knows nothing of logic."""

from __future__ import annotations

import gzip
import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["BayesianNetwork", "atom", "load_network", "marginals", "parse_bif", "program_text"]


@dataclass(frozen=True)
class BayesianNetwork:
    """Variables with their values and parents; ``tables[v]`` has an axis for each parent, and one for v's values."""

    values: dict[str, tuple[str, ...]]
    parents: dict[str, tuple[str, ...]]
    tables: dict[str, np.ndarray]


def load_network(name: str) -> BayesianNetwork:
    """A network of the folder ``bif`` in ``DEEPPLP_DATA``."""
    folder = Path(os.environ["DEEPPLP_DATA"]) / "bif"
    plain = folder / f"{name}.bif"
    if plain.exists():
        return parse_bif(plain.read_text())
    with gzip.open(folder / f"{name}.bif.gz", "rt") as file:
        return parse_bif(file.read())


def parse_bif(text: str) -> BayesianNetwork:
    """Read the Bayesian interchange format; rows that do not quite sum to one (six digits) are scaled."""
    values: dict[str, tuple[str, ...]] = {}
    for name, listed in re.findall(r"variable\s+(\S+)\s*\{[^}]*?\{([^}]*)\}", text):
        values[name] = tuple(v.strip() for v in listed.split(","))
    parents: dict[str, tuple[str, ...]] = {}
    tables: dict[str, np.ndarray] = {}
    for head, body in re.findall(r"probability\s*\(([^)]*)\)\s*\{([^}]*)\}", text):
        name, _, given = (part.strip() for part in head.partition("|"))
        parents[name] = tuple(p.strip() for p in given.split(",") if p.strip())
        table = np.full([*(len(values[p]) for p in parents[name]), len(values[name])], np.nan)
        for numbers in re.findall(r"table\s+([^;]*);", body):
            table[...] = np.array([float(x) for x in numbers.split(",")]).reshape(table.shape)
        for row, numbers in re.findall(r"\(([^)]*)\)\s*([^;]*);", body):
            index = tuple(values[p].index(v.strip()) for p, v in zip(parents[name], row.split(","), strict=True))
            table[index] = [float(x) for x in numbers.split(",")]
        tables[name] = table / table.sum(axis=-1, keepdims=True)
    return BayesianNetwork(values, parents, tables)


def atom(name: str, value: str) -> str:
    """The atom that says that a variable has a value."""
    quoted = (x if re.fullmatch(r"[a-z]\w*|0|[1-9][0-9]*", x) else f"'{x}'" for x in (name, value))
    return "{}({})".format(*quoted)


def program_text(network: BayesianNetwork) -> str:
    """An annotated disjunction for every row of every table."""
    lines = []
    for name, table in network.tables.items():
        given = network.parents[name]
        for row in itertools.product(*(range(len(network.values[p])) for p in given)):
            heads = "; ".join(
                f"{float(p)!r}::{atom(name, v)}" for p, v in zip(table[row], network.values[name], strict=True)
            )
            body = ", ".join(atom(p, network.values[p][i]) for p, i in zip(given, row, strict=True))
            lines.append(f"{heads} :- {body}." if body else f"{heads}.")
    return "\n".join(lines)


def marginals(network: BayesianNetwork, evidence: Mapping[str, str]) -> dict[str, np.ndarray]:
    """P(variable | evidence) for every variable, by eliminating all others from the product of the tables.

    Only the ancestors of the variable and of the evidence take part; those with the fewest states in their joint table
    are eliminated first.
    """
    return {name: _marginal(network, name, evidence) for name in network.values}


def _marginal(network: BayesianNetwork, name: str, evidence: Mapping[str, str]) -> np.ndarray:
    relevant = {name, *evidence}
    stack = list(relevant)
    while stack:
        for parent in network.parents[stack.pop()]:
            if parent not in relevant:
                relevant.add(parent)
                stack.append(parent)
    factors = [((*network.parents[v], v), network.tables[v]) for v in sorted(relevant)]
    for v, value in evidence.items():
        factors.append(((v,), np.eye(len(network.values[v]))[network.values[v].index(value)]))
    left = relevant - {name}
    while left:
        joint = {v: {u for axes, _ in factors if v in axes for u in axes} for v in left}
        chosen = min(sorted(left), key=lambda v: int(np.prod([len(network.values[u]) for u in joint[v]], dtype=float)))
        left.discard(chosen)
        used = [f for f in factors if chosen in f[0]]
        axes = tuple(sorted(joint[chosen] - {chosen}))
        factors = [f for f in factors if chosen not in f[0]]
        factors.append((axes, _sum_of_product(used, axes)))
    result = _sum_of_product(factors, (name,))
    return result / result.sum()


def _sum_of_product(factors: list[tuple[tuple[str, ...], np.ndarray]], axes: tuple[str, ...]) -> np.ndarray:
    labels = {v: i for i, v in enumerate(sorted({v for a, _ in factors for v in a} | set(axes)))}
    operands: list[object] = []
    for names, table in factors:
        operands += [table, [labels[v] for v in names]]
    return np.einsum(*operands, [labels[v] for v in axes], optimize="greedy")  # type: ignore[no-any-return,call-overload]
