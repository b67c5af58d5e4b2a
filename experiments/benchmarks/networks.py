"""Bayesian networks in BIF, as programs, and pgmpy as an exact oracle for their marginals."""

from __future__ import annotations

import gzip
import itertools
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.benchmarks.table import missing
from experiments.datasets import data_folder

__all__ = ["BayesianNetwork", "PgmpyOracle", "atom", "load_network", "parse_bif", "program_text"]


@dataclass(frozen=True)
class BayesianNetwork:
    """Variables with their values and parents; ``tables[v]`` has an axis for each parent, and one for v's values."""

    values: dict[str, tuple[str, ...]]
    parents: dict[str, tuple[str, ...]]
    tables: dict[str, np.ndarray]


def load_network(name: str) -> BayesianNetwork:
    """A network of the folder ``bif`` in ``DEEPPLP_DATA``."""
    folder = data_folder("bif")
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


class PgmpyOracle:
    """A Bayesian network in pgmpy, with the exact inference by variable elimination that it is asked with."""

    def __init__(self, network: BayesianNetwork) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what it says of its own modules
                from pgmpy.factors.discrete import TabularCPD
                from pgmpy.inference import VariableElimination
                from pgmpy.models import DiscreteBayesianNetwork
        except ImportError as error:
            raise missing("pgmpy", error) from None
        self.values = network.values
        model = DiscreteBayesianNetwork()
        model.add_nodes_from(network.values)
        model.add_edges_from((parent, v) for v, parents in network.parents.items() for parent in parents)
        for v, table in network.tables.items():
            parents = network.parents[v]
            names = {x: list(network.values[x]) for x in (v, *parents)}
            given = {"evidence": list(parents), "evidence_card": [len(names[p]) for p in parents]} if parents else {}
            k = len(names[v])
            model.add_cpds(TabularCPD(v, k, table.reshape(-1, k).T, state_names=names, **given))
        self.inference = VariableElimination(model)

    def marginals(self, evidence: Mapping[str, str]) -> dict[str, float]:
        """P(variable has value | evidence) for every value's atom."""
        found = {}
        for v, values in self.values.items():
            if v in evidence:  # pgmpy refuses to be asked for it
                found |= {atom(v, value): float(value == evidence[v]) for value in values}
                continue
            factor = self.inference.query([v], evidence=dict(evidence), show_progress=False)
            found |= {atom(v, value): float(factor.get_value(**{v: value})) for value in values}
        return found
